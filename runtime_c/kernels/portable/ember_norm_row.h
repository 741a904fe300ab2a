/* What the q.layer_norm kernels of every core share: a row's constants from its sums, and one element in plain C.
 *
 * int8 y (ember_norm_narrow): t = ((x * inverse) >> 16) - mean, a normalised element of 16 bits.
 * int16 y (ember_norm_wide): t = ((x * scale - offset) * inverse + 2^31) >> 32, of 29 bits.
 * Bounds, with n <= 16384: |sum| <= 2^29, n * squares <= 2^58; the exponent e of the root is in -15 .. 16 and frac in
 * 21 .. 28, so the wide shift is in -9 .. 29 and the narrow one in -22 .. 16, where inverse < 2^31 as the variance is
 * at least n - 1. A wide difference is below 2^31 by the op's definition, and its two terms may wrap.
 *
 * About 70 instructions a row on Armv7E-M, seven of them divisions. Private to the kernels.
 */
#ifndef EMBER_NORM_ROW_H
#define EMBER_NORM_ROW_H

#include "ember_math.h"
#include "ember_norm.h"

typedef struct {
    int32_t sum;
    uint64_t squares;
} ember_norm_sums;

typedef struct {
    int32_t inverse; /* R */
    int32_t mean;    /* (M * R) >> 32 */
} ember_norm_narrow;

typedef struct {
    uint32_t scale;  /* n << a */
    uint32_t offset; /* S << a */
    int32_t inverse; /* R */
} ember_norm_wide;

/* sqrt(variance) is about root * 2^exponent. */
typedef struct {
    uint32_t root;
    int32_t exponent;
} ember_norm_root;

/* Square root of v in [2^30, 2^32): four Newton steps from 65535 leave at most one above the floor. */
static inline uint32_t ember_newton_root(uint32_t v)
{
    uint32_t y = (65535 + v / 65535) >> 1;
    y = (y + v / y) >> 1;
    y = (y + v / y) >> 1;
    return (y + v / y) >> 1;
}

static inline ember_norm_root ember_norm_root_of(ember_norm_sums sums, uint64_t least, const ember_norm_rows *p)
{
    const int64_t s = p->center ? sums.sum : 0;
    const uint64_t spread = (uint64_t)p->n * sums.squares - (uint64_t)(s * s) + p->eps;
    const uint64_t variance = spread < least ? least : spread;
    const int32_t z = ember_clz64(variance) & ~1;
    const ember_norm_root root = {ember_newton_root((uint32_t)((variance << z) >> 32)), (32 - z) / 2};
    return root;
}

static inline ember_norm_narrow ember_norm_narrow_of(ember_norm_sums sums, const ember_norm_rows *p)
{
    const uint32_t n = (uint32_t)p->n;
    const ember_norm_root root = ember_norm_root_of(sums, n > 1 ? n - 1 : 1, p);
    const int32_t shift = root.exponent + p->frac - 28;
    const uint32_t divisor = root.root << (shift > 0 ? shift : 0);
    const uint32_t quotient = ((uint32_t)p->unit + (divisor >> 1)) / divisor;
    ember_norm_narrow row = {(int32_t)(quotient << (shift < 0 ? -shift : 0)), 0};
    if (p->center) {
        /* The sum is at least -n * 2^15: without a sign its division rounds down. */
        const uint32_t lifted = (uint32_t)sums.sum + (n << 15);
        const uint32_t whole = lifted / n;
        const uint32_t part = (((lifted - whole * n) << 16) + (n >> 1)) / n;
        const int32_t mean = (int32_t)(((whole - 32768) << 16) + part);
        row.mean = (int32_t)(((int64_t)mean * row.inverse) >> 32);
    }
    return row;
}

static inline ember_norm_wide ember_norm_wide_of(ember_norm_sums sums, const ember_norm_rows *p)
{
    const ember_norm_root root = ember_norm_root_of(sums, 1, p);
    const int32_t a = p->frac - 14 - root.exponent;
    const uint32_t inverse = (0x7FFFFFFFu / root.root) << 15;
    const ember_norm_wide row = {(uint32_t)p->n << (a > 0 ? a : 0),
                                 (p->center ? (uint32_t)sums.sum : 0) << (a > 0 ? a : 0),
                                 (int32_t)(inverse >> (a < 0 ? -a : 0))};
    return row;
}

/* The normalised element. */
static inline int32_t ember_norm_narrow_t(int32_t x, ember_norm_narrow row)
{
    return (int32_t)(((int64_t)x * row.inverse) >> 16) - row.mean;
}

static inline int32_t ember_norm_wide_t(int32_t x, ember_norm_wide row)
{
    return ember_high_multiply((int32_t)((uint32_t)x * row.scale - row.offset), row.inverse, 0);
}

/* The result before it is clamped, shift being the op's out_shift. */
static inline int32_t ember_norm_narrow_result(int32_t t, int32_t gamma, int32_t beta, int32_t shift)
{
    return (t * gamma + beta * (1 << 15) + (1 << (14 + shift))) >> (15 + shift);
}

static inline ember_norm_sums ember_norm_sums_s8(const int8_t *x, int32_t n)
{
    int32_t sum = 0;
    uint32_t squares = 0;
    for (int32_t i = 0; i < n; i++) {
        sum += x[i];
        squares += (uint32_t)(x[i] * x[i]);
    }
    return (ember_norm_sums){sum, squares};
}

static inline ember_norm_sums ember_norm_sums_s16(const int16_t *x, int32_t n)
{
    ember_norm_sums sums = {0, 0};
    for (int32_t i = 0; i < n; i++) {
        sums.sum += x[i];
        sums.squares += (uint32_t)(x[i] * x[i]);
    }
    return sums;
}

#endif
