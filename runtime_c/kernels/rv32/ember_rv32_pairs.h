/* Two rows in one word, two products in one multiplication: exact int8 dot products without SIMD.
 *
 * Idea: a word holds two activations, x = a0 + 65536 * a1. For two steps of k,
 *   s = x[k] * w[k] + x[k+1] * w[k+1] + 0x7FFF7FFF
 * holds (S0 + 32767) and (S1 + 32767), the sums of two products of both rows, in its halves: each is in -32512 .. 32768,
 * so no half ever borrows from the other. Two running sums then say everything:
 *   high += s >> 16      sum of S1, plus 32767 a step
 *   all  += s            modulo 2^32; all - (high << 16) is the sum of S0, plus 32767 a step
 * That is 7 instructions for 4 products (2 mul, 3 add, 1 shift, 1 add) instead of 8, and half the multiplications.
 *
 * Private to the rv32 kernels. Any int8 values, -128 included. The sums start at the bias less 32767 a step.
 */
#ifndef EMBER_RV32_PAIRS_H
#define EMBER_RV32_PAIRS_H

#include <stdint.h>

/* By default gcc moves loads up before it has given out registers, collects the terms of running sums, and then spills
 * inside the loop: 0.4 instructions per MAC. */
#if defined(__GNUC__) && !defined(__clang__)
#define EMBER_RV32_KEEP_ORDER _Pragma("GCC optimize(\"no-schedule-insns,no-tree-ter,no-tree-reassoc\")")
/* Before a loop over an array that is to live in registers. */
#define EMBER_RV32_UNROLLED _Pragma("GCC unroll 16")
#else
#define EMBER_RV32_KEEP_ORDER
#define EMBER_RV32_UNROLLED
#endif

#if defined(__GNUC__)
#define EMBER_RV32_INLINE static inline __attribute__((always_inline))
#else
#define EMBER_RV32_INLINE static inline
#endif

enum { EMBER_RV32_LIFT = 32767 }; /* in each half of a step's sum */

typedef struct {
    uint32_t all;
    uint32_t high;
} ember_rv32_pair;

/* floor(floor(a * m / 2^32) + offset, halved): with a twice its value and an odd offset the rounding of
 * ember_high_multiply, without the low word of the product. */
EMBER_RV32_INLINE int32_t ember_rv32_scale(int32_t a, int32_t m, int32_t offset)
{
    return ((int32_t)(((int64_t)a * m) >> 32) + offset) >> 1;
}

EMBER_RV32_INLINE int32_t ember_rv32_join(int32_t a0, int32_t a1)
{
    return a0 + 65536 * a1;
}

EMBER_RV32_INLINE ember_rv32_pair ember_rv32_start(int32_t bias, int32_t steps)
{
    const uint32_t sum = (uint32_t)bias - (uint32_t)steps * EMBER_RV32_LIFT;
    const ember_rv32_pair pair = {sum + (sum << 16), sum};
    return pair;
}

EMBER_RV32_INLINE void ember_rv32_step(ember_rv32_pair *pair, int32_t x0, int32_t w0, int32_t x1, int32_t w1)
{
    const uint32_t sum = (uint32_t)(x0 * w0) + 0x7FFF7FFFu + (uint32_t)(x1 * w1);
    pair->all += sum;
    pair->high += sum >> 16;
}

EMBER_RV32_INLINE int32_t ember_rv32_low(ember_rv32_pair pair)
{
    return (int32_t)(pair.all - (pair.high << 16));
}

EMBER_RV32_INLINE int32_t ember_rv32_high(ember_rv32_pair pair)
{
    return (int32_t)pair.high;
}

#endif
