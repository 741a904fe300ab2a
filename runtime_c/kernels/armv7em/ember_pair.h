/* Products of two activations in pairs of int16: what the kernels of attention and q.batch_matmul share.
 *
 * Idea: both operands are widened to pairs of int16 once, then SMLAD does two products at a time, two rows by two
 * columns. No bound on the sum but 32 bits, no restriction on values; at k = 64 this beats the dual-column trick of
 * ember_dual.h, whose longer epilogue needs row sums for run-time weights.
 * Layout of rows and of columns alike, for k padded to a multiple of 4 with zeros:
 *   [pair of rows][k / 4][row 0 first pair, row 1 first pair, row 0 second pair, row 1 second pair].
 *
 * Private to the Armv7E-M kernels.
 */
#ifndef EMBER_PAIR_H
#define EMBER_PAIR_H

#include <stdint.h>
#include <string.h>

#include "ember_armv7em.h"

/* What becomes of the four sums of a block; the numbers index a table of ember_pair_2x2. */
enum {
    EMBER_PAIR_SCORE,
    EMBER_PAIR_S8,
    EMBER_PAIR_S16,
    EMBER_PAIR_SHIFT_S8, /* shifted to the right by shift0 and shift1 */
    EMBER_PAIR_SHIFT_S16,
    EMBER_PAIR_LEFT_S8, /* to the left */
    EMBER_PAIR_LEFT_S16,
    EMBER_PAIR_SUMS, /* int32 [columns / 2][r][2], as they are */
    EMBER_PAIR_PASS
};

/* Arguments of ember_pair_2x2, in the order that it copies them to its stack. `reserved` is no argument: it counts
 * what the assembly pushes to the caller's frame, since the compiler's stack report does not see it. */
typedef struct {
    int32_t m0; /* multiplier of row 0 */
    int32_t m1;
    const int32_t *rows;
    const int32_t *columns_end;
    int32_t zero_point;
    void *y;
    int32_t stride; /* bytes between the two rows of y */
    int32_t shift0; /* EMBER_PAIR_SHIFT_*, EMBER_PAIR_LEFT_*: of row 0's sums */
    int32_t shift1;
    const int32_t *rows_end;
    const int32_t *columns;
    uint32_t entry;
    uint32_t after;
    uint32_t last;
    uint32_t reserved[26];
} ember_pair_block;

/* y[r, c] = clamp((sum_k rows[r, k] * columns[c, k] >> shift r) * m r + zero_point), r = 0, 1; all columns.
 * EMBER_PAIR_SCORE stores uint16 [c / 2][r][2], EMBER_PAIR_SUMS int32; the others rows of int8 or int16. */
void ember_pair_2x2(const ember_pair_block *block);

enum { EMBER_PAIR_BODY = 15, EMBER_PAIR_UNIT = 40 };

/* Prepares a block for sums over `k`, a multiple of 4 (at least 4), that end as `end` says. */
static inline void ember_pair_enter(ember_pair_block *block, int32_t k, uint32_t end)
{
    const int32_t units = (k >> 2) - 1;
    const int32_t part = units % EMBER_PAIR_BODY;
    block->entry = (uint32_t)(units == 0  ? EMBER_PAIR_BODY * EMBER_PAIR_UNIT
                              : part == 0 ? 0
                                          : (EMBER_PAIR_BODY - part) * EMBER_PAIR_UNIT);
    block->after = units > EMBER_PAIR_BODY ? EMBER_PAIR_PASS : end;
    block->last = end;
}

static inline int32_t ember_pair_of(int32_t low, int32_t high)
{
    return (int32_t)((uint32_t)(low & 0xFFFF) | (uint32_t)high << 16);
}

/* `columns` neighbours of each of k rows, `stride` apart, less `zero`, in the layout above; the last of an odd number
 * beside itself. The k of a word are `apart` apart: 1 pairs (0, 1) and (2, 3) of each four, 2 as ember_pair_rows. */
void ember_pair_columns(const int8_t *v, int32_t stride, int32_t k, int32_t columns, int32_t apart, int32_t zero,
                        int32_t *out);

/* Two rows of k int8 values at x and y, less `zero`: pairs (0, 2) and (1, 3) of each four; 7 instructions for 8
 * values. */
static inline int32_t *ember_pair_rows(const int8_t *x, const int8_t *y, int32_t k, int32_t zero, int32_t *out)
{
#if EMBER_HAS_ARMV7EM
    const int32_t less = ember_pair_of(-zero, -zero);
    for (; k >= 4; k -= 4, x += 4, y += 4)
        __asm__ volatile("ldr r8, [%1]\n\t"
                         "ldr r9, [%2]\n\t"
                         "sxtab16 r4, %3, r8\n\t"
                         "sxtab16 r5, %3, r9\n\t"
                         "sxtab16 r8, %3, r8, ror #8\n\t"
                         "sxtab16 r9, %3, r9, ror #8\n\t"
                         "stm %0!, {r4, r5, r8, r9}"
                         : "+r"(out)
                         : "r"(x), "r"(y), "r"(less)
                         : "r4", "r5", "r8", "r9", "memory");
#else
    for (; k >= 4; k -= 4, x += 4, y += 4, out += 4) {
        out[0] = ember_pair_of(x[0] - zero, x[2] - zero);
        out[1] = ember_pair_of(y[0] - zero, y[2] - zero);
        out[2] = ember_pair_of(x[1] - zero, x[3] - zero);
        out[3] = ember_pair_of(y[1] - zero, y[3] - zero);
    }
#endif
    if (k > 0) {
        out[0] = ember_pair_of(x[0] - zero, k > 2 ? x[2] - zero : 0);
        out[1] = ember_pair_of(y[0] - zero, k > 2 ? y[2] - zero : 0);
        out[2] = ember_pair_of(k > 1 ? x[1] - zero : 0, 0);
        out[3] = ember_pair_of(k > 1 ? y[1] - zero : 0, 0);
        out += 4;
    }
    return out;
}

/* Two rows of k int16 values at x and y, in the same words; 9 instructions for 8 values. */
static inline int32_t *ember_pair_rows_s16(const int16_t *x, const int16_t *y, int32_t k, int32_t *out)
{
#if EMBER_HAS_ARMV7EM
    for (; k >= 4; k -= 4, x += 4, y += 4)
        __asm__ volatile("ldr r4, [%1]\n\t"
                         "ldr r8, [%1, #4]\n\t"
                         "ldr r5, [%2]\n\t"
                         "ldr r9, [%2, #4]\n\t"
                         "pkhtb r10, r8, r4, asr #16\n\t"
                         "pkhbt r4, r4, r8, lsl #16\n\t"
                         "pkhtb r11, r9, r5, asr #16\n\t"
                         "pkhbt r5, r5, r9, lsl #16\n\t"
                         "stm %0!, {r4, r5, r10, r11}"
                         : "+r"(out)
                         : "r"(x), "r"(y)
                         : "r4", "r5", "r8", "r9", "r10", "r11", "memory");
#else
    for (; k >= 4; k -= 4, x += 4, y += 4, out += 4) {
        out[0] = ember_pair_of(x[0], x[2]);
        out[1] = ember_pair_of(y[0], y[2]);
        out[2] = ember_pair_of(x[1], x[3]);
        out[3] = ember_pair_of(y[1], y[3]);
    }
#endif
    if (k > 0) {
        out[0] = ember_pair_of(x[0], k > 2 ? x[2] : 0);
        out[1] = ember_pair_of(y[0], k > 2 ? y[2] : 0);
        out[2] = ember_pair_of(k > 1 ? x[1] : 0, 0);
        out[3] = ember_pair_of(k > 1 ? y[1] : 0, 0);
        out += 4;
    }
    return out;
}

#endif
