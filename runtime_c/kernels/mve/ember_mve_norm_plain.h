/* q.layer_norm from the reordered gamma and beta in plain C, for machines without Helium.
 *
 * Private to the Helium kernels.
 */
#ifndef EMBER_MVE_NORM_PLAIN_H
#define EMBER_MVE_NORM_PLAIN_H

#include "ember_mve.h"
#include "ember_norm_row.h"

/* Where element i of n has its gamma: in vectors of eight, each followed by its betas. */
static inline const int16_t *ember_mve_narrow_gains(const ember_mve_norm_params *p, int32_t i)
{
    const int whole = (i & ~15) + 16 <= p->shape.n;
    const int32_t vector = whole ? (i >> 4) * 2 + (i & 1) : i >> 3;
    return p->gains + vector * 16 + (whole ? (i >> 1) & 7 : i & 7);
}

/* The same in vectors of four. */
static inline const int32_t *ember_mve_wide_gains(const ember_mve_norm_wide_params *p, int32_t i)
{
    static const uint8_t vector_of[4] = {0, 2, 1, 3};
    const int whole = (i & ~15) + 16 <= p->shape.n;
    const int32_t vector = whole ? (i >> 4) * 4 + vector_of[i & 3] : i >> 2;
    return p->gains + vector * 8 + (whole ? (i >> 2) & 3 : i & 3);
}

static inline int8_t ember_mve_narrow_one(int32_t x, int32_t i, ember_norm_narrow row, const ember_mve_norm_params *p)
{
    const int16_t *gains = ember_mve_narrow_gains(p, i);
    const int32_t t = ember_norm_narrow_t(x, row);
    return ember_clamp_s8(ember_norm_narrow_result(t, gains[0], gains[8], p->shape.out_shift));
}

static inline int16_t ember_mve_wide_one(int32_t x, int32_t i, ember_norm_wide row, const ember_mve_norm_wide_params *p)
{
    const int32_t *gains = ember_mve_wide_gains(p, i);
    return ember_clamp_s16(ember_high_multiply(ember_norm_wide_t(x, row), gains[0], gains[4]) >> p->shape.out_shift);
}

#endif
