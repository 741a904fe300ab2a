/* Two columns in one multiplication: what the q.matmul kernels on packed weights share.
 *
 * Idea (dual column): a weight word holds two lanes of 16 bits for two k, lane = w[col 0, k] + 256 * w[col 1, k].
 * With activations widened to int16,
 *   q += SMLAD(word, x) = S0 + 256 * S1     and     p += SMLAD(SXTB16(word), x) = S0,     so S1 = (q - p) >> 8:
 * one SXTB16 decodes four weights, and a weight takes one byte of flash. q and p may wrap; their difference is exact
 * while |S1| < 2^23. Longer sums are folded: (q - p) >> 8 goes to a word of its own after every pass of the unrolled
 * loop (at most 126 k, |S1| < 2^21).
 * Preconditions: every lane fits int16 (no w1 = -128 beside w0 < 0), which the packer checks.
 *
 * Private to the Armv7E-M kernels. The packer is compiler/emberc/backend/c/variants/armv7em_matmul.py.
 */
#ifndef EMBER_DUAL_H
#define EMBER_DUAL_H

#include <stddef.h>
#include <string.h>

#include "ember_armv7em.h"
#include "ember_math.h"

/* Where the unrolled loop goes next; the numbers index a table of each kernel. */
enum {
    EMBER_DUAL_S8,
    EMBER_DUAL_S16,
    EMBER_DUAL_PASS,
    EMBER_DUAL_FOLD,
    EMBER_DUAL_SUM_S8,
    EMBER_DUAL_SUM_S16,
    EMBER_DUAL_LEFT_S16, /* with a shift to the left */
    EMBER_DUAL_SUM_LEFT_S16
};

/* Arguments of a kernel, which runs one panel of rows over blocks of columns. It copies the first words to its stack
 * in this order; `reserved` is no argument: it counts what the assembly pushes to the caller's frame, since the
 * compiler's stack report does not see it. */
typedef struct {
    const int32_t *panel;
    const int32_t *stream_end;
    int32_t zero_point;
    void *y;
    int32_t stride;  /* bytes between rows of y */
    uint32_t entry1; /* from the loop's start: for the pairs before whole units */
    uint32_t entry2; /* for the first unit */
    uint32_t after;  /* EMBER_DUAL_*: after the last unit of the loop */
    uint32_t last;   /* EMBER_DUAL_*: after the last pass */
    const int32_t *panel_end;
    const int32_t *stream;
    int32_t shift;
    uint32_t reserved[26];
} ember_dual_block;

/* rows x columns: the row panel is [pair][row] of int16 pairs; y of int8 or int16. */
void ember_dual_3x2(const ember_dual_block *block);
void ember_dual_3x2_m7(const ember_dual_block *block);
void ember_dual_2x2(const ember_dual_block *block);
void ember_dual_1x4(const ember_dual_block *block);

/* Words that a row takes: k in pairs. */
static inline int32_t ember_dual_pairs(int32_t k)
{
    return (k + 1) >> 1;
}

static inline int32_t ember_dual_pair_of(int32_t low, int32_t high)
{
    return (int32_t)((uint32_t)(low & 0xFFFF) | (uint32_t)high << 16);
}

/* Four int8 values at x as the pairs (0, 2) and (1, 3). */
static inline void ember_dual_four(const int8_t *x, int32_t *even, int32_t *odd)
{
#if EMBER_HAS_ARMV7EM
    uint32_t v;
    memcpy(&v, x, sizeof v);
    __asm__("sxtb16 %0, %1" : "=r"(*even) : "r"(v));
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(*odd) : "r"(v));
#else
    *even = ember_dual_pair_of(x[0], x[2]);
    *odd = ember_dual_pair_of(x[1], x[3]);
#endif
}

/* The last k % 4 values of one row, pairs `step` words apart. */
static inline void ember_dual_tail(const int8_t *x, int32_t left, int32_t *panel, int32_t step)
{
    if (left == 3) {
        panel[0] = ember_dual_pair_of(x[0], x[2]);
        panel[step] = ember_dual_pair_of(x[1], 0);
    } else if (left != 0) {
        panel[0] = ember_dual_pair_of(x[0], left == 2 ? x[1] : 0);
    }
}

/* Entries for `units` units of `size` bytes in a loop of `body` units, `singles` pairs of 36 bytes before it. */
static inline void ember_dual_enter(ember_dual_block *block, int32_t units, int32_t singles, int32_t body, int32_t size,
                                    int32_t single_size)
{
    const int32_t part = units % body;
    const int32_t entry = units == 0 ? body * size : part == 0 ? 0 : (body - part) * size;
    block->entry2 = (uint32_t)entry;
    block->entry1 = (uint32_t)(singles == 0 ? entry : -4 - singles * single_size);
}

/* The two ends of a block of columns: how the sums are completed, and how they leave. */
static inline void ember_dual_leave(ember_dual_block *block, int32_t passes, const ember_dual_params *p, int32_t wide)
{
    const uint32_t end = !wide ? EMBER_DUAL_S8 : p->shift ? EMBER_DUAL_LEFT_S16 : EMBER_DUAL_S16;
    const uint32_t sum = !wide ? EMBER_DUAL_SUM_S8 : p->shift ? EMBER_DUAL_SUM_LEFT_S16 : EMBER_DUAL_SUM_S16;
    block->zero_point = p->zero_point;
    block->shift = p->shift;
    block->after = p->fold ? EMBER_DUAL_FOLD : passes > 1 ? EMBER_DUAL_PASS : end;
    block->last = p->fold ? sum : end;
}

#endif
