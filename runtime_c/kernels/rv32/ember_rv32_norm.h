/* q.layer_norm on RV32IM: sums and elements of a row, gamma and beta side by side, four elements a turn of the loop.
 *
 * Sums: load, add, multiply, add; squares of int16 are added in pairs before they carry into 64 bits.
 * int8 y: SLLI and MULH are (x * inverse) >> 16; then SUB, LW, MUL, LW, ADD, SRA, and one comparison to clamp.
 * int16 y: rounding multiplications that never need a product's low word: MULHSU by twice the inverse, plus one, is twice
 * t but for its last bit, which ANDI clears; MULH of that by gamma plus 2 * beta + 1, shifted once more, rounds as well.
 * Per element: sums 4 (int16 x 5.5), then 13 (int8 y) or 15 (int16 y), loops 2; a row's constants about 190.
 *
 * Private to the rv32 kernels.
 */
#ifndef EMBER_RV32_NORM_H
#define EMBER_RV32_NORM_H

#include "ember_norm_row.h"
#include "ember_rv32.h"
#include "ember_rv32_pairs.h"

#if defined(__GNUC__)
#define EMBER_RV32_BY_FOURS _Pragma("GCC unroll 4")
#else
#define EMBER_RV32_BY_FOURS
#endif

EMBER_RV32_INLINE ember_norm_sums ember_rv32_sums_s8(const int8_t *x, int32_t n)
{
    int32_t sum = 0, squares = 0;
    EMBER_RV32_BY_FOURS
    for (int32_t i = 0; i < n; i++) {
        sum += x[i];
        squares += x[i] * x[i];
    }
    return (ember_norm_sums){sum, (uint32_t)squares};
}

EMBER_RV32_INLINE ember_norm_sums ember_rv32_sums_s16(const int16_t *x, int32_t n)
{
    ember_norm_sums sums = {0, 0};
    EMBER_RV32_BY_FOURS
    for (; n >= 2; n -= 2, x += 2) {
        sums.sum += x[0] + x[1];
        sums.squares += (uint32_t)(x[0] * x[0]) + (uint32_t)(x[1] * x[1]);
    }
    if (n > 0) {
        sums.sum += x[0];
        sums.squares += (uint32_t)(x[0] * x[0]);
    }
    return sums;
}

/* v, saturated to -top - 1 .. top. */
EMBER_RV32_INLINE int32_t ember_rv32_saturate(int32_t v, int32_t top)
{
    return (uint32_t)(v + top + 1) <= 2 * (uint32_t)top + 1 ? v : v < 0 ? -top - 1 : top;
}

/* shift is the op's out_shift + 15 here, + 1 below. */
EMBER_RV32_INLINE int8_t ember_rv32_norm_narrow(int32_t x, ember_norm_narrow row, const int32_t *gains, int32_t shift)
{
    const int32_t t = (int32_t)(((int64_t)(x * 65536) * row.inverse) >> 32) - row.mean;
    return (int8_t)ember_rv32_saturate((t * gains[0] + gains[1]) >> shift, INT8_MAX);
}

EMBER_RV32_INLINE int16_t ember_rv32_norm_wide(int32_t x, ember_norm_wide row, const int32_t *gains, int32_t shift)
{
    const int32_t difference = (int32_t)((uint32_t)x * row.scale - row.offset);
    const int32_t twice = ((int32_t)(((int64_t)difference * (uint32_t)(2 * (uint32_t)row.inverse)) >> 32) + 1) & ~1;
    const int32_t v = ((int32_t)(((int64_t)twice * gains[0]) >> 32) + gains[1]) >> shift;
    return (int16_t)ember_rv32_saturate(v, INT16_MAX);
}

#endif
