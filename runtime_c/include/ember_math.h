/* Integer arithmetic shared by the kernels: the C twin of compiler/emberc/ir/arithmetic.py, equal bit for bit.
 *
 * Two things are asked of the compiler beyond C99, as every compiler for the supported cores gives them:
 * a right shift of a negative number is arithmetic (checked below), and converting an unsigned word to a signed
 * one keeps its bits.
 */
#ifndef EMBER_MATH_H
#define EMBER_MATH_H

#include <stdint.h>

typedef char ember_right_shift_must_be_arithmetic[(-1 >> 1) == -1 ? 1 : -1];

static inline int32_t ember_clamp(int32_t v, int32_t lo, int32_t hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* One instruction where the core has it: gcc makes six of the comparisons. */
static inline int8_t ember_clamp_s8(int32_t v)
{
#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__)
    __asm__("ssat %0, #8, %1" : "=r"(v) : "r"(v));
    return (int8_t)v;
#else
    return (int8_t)ember_clamp(v, INT8_MIN, INT8_MAX);
#endif
}

static inline int16_t ember_clamp_s16(int32_t v)
{
#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__)
    __asm__("ssat %0, #16, %1" : "=r"(v) : "r"(v));
    return (int16_t)v;
#else
    return (int16_t)ember_clamp(v, INT16_MIN, INT16_MAX);
#endif
}

static inline int32_t ember_min(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static inline int32_t ember_max(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* acc << shift, 0 <= shift <= 31; the compiler proved that the result fits. */
static inline int32_t ember_shift_left(int32_t acc, int32_t shift)
{
    return (int32_t)((uint32_t)acc << shift);
}

/* acc << shift, or floor(acc / 2^-shift) for a negative shift >= -31. */
static inline int32_t ember_shift(int32_t acc, int32_t shift)
{
    return shift >= 0 ? ember_shift_left(acc, shift) : acc >> -shift;
}

/* The same of a 64-bit accumulator; the compiler proved that the result fits 32 bits. */
static inline int32_t ember_shift64(int64_t acc, int32_t shift)
{
    return shift >= 0 ? (int32_t)(uint32_t)((uint64_t)acc << shift) : (int32_t)(acc >> -shift);
}

/* (a * m + (add << 32) + 2^31) >> 32: SMMLAR on Armv7E-M. */
static inline int32_t ember_high_multiply(int32_t a, int32_t m, int32_t add)
{
    const int64_t one = INT64_C(1) << 32;
    return (int32_t)(((int64_t)a * m + add * one + one / 2) >> 32);
}

/* Leading zeros of v >= 1. */
static inline int32_t ember_clz32(uint32_t v)
{
#if defined(__GNUC__)
    return __builtin_clz(v);
#else
    int32_t n = 0;
    while ((v & 0x80000000u) == 0) {
        v <<= 1;
        n++;
    }
    return n;
#endif
}

static inline int32_t ember_clz64(uint64_t v)
{
    const uint32_t high = (uint32_t)(v >> 32);
    return high != 0 ? ember_clz32(high) : 32 + ember_clz32((uint32_t)v);
}

#endif
