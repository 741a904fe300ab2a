/* What the four q.layer_norm kernels share: a row's scale from its sums, and one element.
 *
 * Private to the portable kernels. Bounds, with n <= 16384: |sum| <= 2^29, n * squares <= 2^58; the exponent e of
 * the root is in -15 .. 16 and frac in 21 .. 28, so the shift of the difference is in -9 .. 29. The difference
 * itself is below 2^31 by the op's definition, and its two terms may wrap.
 */
#ifndef EMBER_NORM_ROW_H
#define EMBER_NORM_ROW_H

#include "ember_math.h"
#include "ember_norm.h"

typedef struct {
    uint32_t scale;  /* n << a */
    uint32_t offset; /* S << a */
    int32_t inverse; /* R */
} ember_norm_row;

/* Square root of v in [2^30, 2^32): four Newton steps from 65535 leave at most one above the floor. */
static inline uint32_t ember_newton_root(uint32_t v)
{
    uint32_t y = 65535;
    for (int i = 0; i < 4; i++)
        y = (y + v / y) >> 1;
    return y;
}

static inline ember_norm_row ember_norm_scale(int32_t sum, uint64_t squares, const ember_layer_norm_params *p)
{
    const int64_t s = p->center ? sum : 0;
    uint64_t variance = (uint64_t)p->n * squares - (uint64_t)(s * s) + p->eps;
    if (variance == 0)
        variance = 1;
    const int32_t z = ember_clz64(variance) & ~1;
    const uint32_t root = ember_newton_root((uint32_t)((variance << z) >> 32));
    const int32_t a = p->frac - 14 - (32 - z) / 2;
    const uint32_t inverse = (0x7FFFFFFFu / root) << 15;
    ember_norm_row row;
    row.scale = (uint32_t)p->n << (a > 0 ? a : 0);
    row.offset = (uint32_t)s << (a > 0 ? a : 0);
    row.inverse = (int32_t)(inverse >> (a < 0 ? -a : 0));
    return row;
}

static inline int32_t ember_norm_element(int32_t x, int32_t i, const ember_norm_row *row,
                                         const ember_layer_norm_params *p)
{
    const int32_t difference = (int32_t)((uint32_t)x * row->scale - row->offset);
    const int32_t t = ember_high_multiply(difference, row->inverse, 0);
    return ember_high_multiply(t, p->gamma[i], p->beta[i]) >> p->out_shift;
}

#endif
