/* q.layer_norm, int16 x, int16 y; y may be x: see ember_mve_norm_wide.h. Measured at 128 x 128: 3.93 an element. */
#include "ember_mve.h"

#if EMBER_HAS_MVE

#include "ember_mve_norm_wide.h"

void ember_layer_norm_s16_mve(const int16_t *x, int16_t *y, const ember_mve_norm_wide_params *restrict p)
{
    for (int32_t r = 0; r < p->shape.rows; r++) {
        const ember_mve_wide row = ember_mve_wide_of(ember_mve_norm_sums_s16(x, p->shape.n), &p->shape);
        const int32_t *gains = p->gains;
        const int32_t rest = p->shape.n & 15;
        EMBER_MVE_WIDE_SIXTEENS(EMBER_MVE_WIDE_LOAD_S16);
        ember_mve_wide_rest(x, 2, y, rest, &row, gains);
        x += rest;
        y += rest;
    }
}

#else

#include "ember_mve_norm_plain.h"

void ember_layer_norm_s16_mve(const int16_t *x, int16_t *y, const ember_mve_norm_wide_params *restrict p)
{
    const int32_t n = p->shape.n;
    for (int32_t r = 0; r < p->shape.rows; r++, x += n, y += n) {
        const ember_norm_wide row = ember_norm_wide_of(ember_norm_sums_s16(x, n), &p->shape);
        for (int32_t i = 0; i < n; i++)
            y[i] = ember_mve_wide_one(x[i], i, row, p);
    }
}

#endif
