/* Products of two int16 activations, whose sums take 64 bits: what q.attention of int16 needs.
 *
 * Idea: ember_pair.h with SMLALD in the place of SMLAD: still two products an instruction, but every sum is two
 * registers, so a unit is two k, not four. Nothing is widened: pairs are copied as they lie, four k of two rows with 5
 * instructions, of two columns of V with 12.
 *
 * Private to the Armv7E-M kernels.
 */
#ifndef EMBER_PAIR_S64_H
#define EMBER_PAIR_S64_H

#include "ember_pair.h"

/* y[r, c] = clamp((sum_k rows[r, k] * columns[c, k] >> shift r) * m r + zero_point), r = 0, 1; all columns; shifts are
 * 0 .. 32 to the right, and what they leave fits 32 bits. Ends: EMBER_PAIR_SCORE and EMBER_PAIR_S16, both shifted. */
void ember_pair_2x2_s64(const ember_pair_block *block);

enum { EMBER_PAIR_S64_BODY = 32, EMBER_PAIR_S64_UNIT = 24 };

/* Prepares a block for sums over `k`, a multiple of 4 (at least 4), that end as `end` says. */
static inline void ember_pair_enter_s64(ember_pair_block *block, int32_t k, uint32_t end)
{
    const int32_t units = k >> 1;
    const int32_t part = units % EMBER_PAIR_S64_BODY;
    block->entry = (uint32_t)(part == 0 ? 0 : (EMBER_PAIR_S64_BODY - part) * EMBER_PAIR_S64_UNIT);
    block->after = units > EMBER_PAIR_S64_BODY ? EMBER_PAIR_PASS : end;
    block->last = end;
}

/* Two rows of k int16 values at x and y: pairs (0, 1) and (2, 3) of each four. */
static inline int32_t *ember_pair_copy_rows(const int16_t *x, const int16_t *y, int32_t k, int32_t *out)
{
#if EMBER_HAS_ARMV7EM
    for (; k >= 4; k -= 4, x += 4, y += 4)
        __asm__ volatile("ldr r4, [%1]\n\t"
                         "ldr r5, [%2]\n\t"
                         "ldr r8, [%1, #4]\n\t"
                         "ldr r9, [%2, #4]\n\t"
                         "stm %0!, {r4, r5, r8, r9}"
                         : "+r"(out)
                         : "r"(x), "r"(y)
                         : "r4", "r5", "r8", "r9", "memory");
#else
    for (; k >= 4; k -= 4, x += 4, y += 4, out += 4) {
        out[0] = ember_pair_of(x[0], x[1]);
        out[1] = ember_pair_of(y[0], y[1]);
        out[2] = ember_pair_of(x[2], x[3]);
        out[3] = ember_pair_of(y[2], y[3]);
    }
#endif
    if (k > 0) {
        out[0] = ember_pair_of(x[0], k > 1 ? x[1] : 0);
        out[1] = ember_pair_of(y[0], k > 1 ? y[1] : 0);
        out[2] = k > 2 ? ember_pair_of(x[2], 0) : 0;
        out[3] = k > 2 ? ember_pair_of(y[2], 0) : 0;
        out += 4;
    }
    return out;
}

/* Two neighbouring columns of `fours` times four rows at v, `stride` apart, as the pairs of both columns; 12
 * instructions for 8 values. */
static inline int32_t *ember_pair_copy_columns(const int16_t *v, int32_t stride, int32_t fours, int32_t *out)
{
#if EMBER_HAS_ARMV7EM
    for (; fours != 0; fours--)
        __asm__ volatile("ldr r4, [%1]\n\t"
                         "ldr r5, [%1, %2, lsl #1]\n\t"
                         "add %1, %1, %2, lsl #2\n\t"
                         "ldr r9, [%1]\n\t"
                         "ldr r10, [%1, %2, lsl #1]\n\t"
                         "add %1, %1, %2, lsl #2\n\t"
                         "pkhtb r8, r5, r4, asr #16\n\t"
                         "pkhbt r4, r4, r5, lsl #16\n\t"
                         "pkhtb r11, r10, r9, asr #16\n\t"
                         "pkhbt r9, r9, r10, lsl #16\n\t"
                         "stm %0!, {r4, r8, r9, r11}"
                         : "+r"(out), "+r"(v)
                         : "r"(stride)
                         : "r4", "r5", "r8", "r9", "r10", "r11", "memory");
#else
    for (; fours != 0; fours--) {
        for (int32_t j = 0; j < 4; j += 2, v += 2 * stride, out += 2) {
            out[0] = ember_pair_of(v[0], v[stride]);
            out[1] = ember_pair_of(v[1], v[stride + 1]);
        }
    }
#endif
    return out;
}

#endif
