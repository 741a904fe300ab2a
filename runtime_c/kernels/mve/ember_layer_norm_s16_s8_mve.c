/* q.layer_norm, int16 x, int8 y: see ember_mve_norm.h. Measured at 128 x 128: 2.86 an element. */
#include "ember_mve.h"

#if EMBER_HAS_MVE

#include "ember_mve_norm.h"

void ember_layer_norm_s16_s8_mve(const int16_t *x, int8_t *y, const ember_mve_norm_params *restrict p)
{
    for (int32_t r = 0; r < p->shape.rows; r++) {
        const ember_mve_narrow row = ember_mve_narrow_of(ember_mve_norm_sums_s16(x, p->shape.n), &p->shape);
        const int16_t *gains = p->gains;
        const int32_t rest = p->shape.n & 15;
        EMBER_MVE_NORM_SIXTEENS(EMBER_MVE_NORM_LOAD_S16);
        ember_mve_norm_rest(x, 2, y, rest, &row, gains);
        x += rest;
        y += rest;
    }
}

#else

#include "ember_mve_norm_plain.h"

void ember_layer_norm_s16_s8_mve(const int16_t *x, int8_t *y, const ember_mve_norm_params *restrict p)
{
    const int32_t n = p->shape.n;
    for (int32_t r = 0; r < p->shape.rows; r++, x += n, y += n) {
        const ember_norm_narrow row = ember_norm_narrow_of(ember_norm_sums_s16(x, n), &p->shape);
        for (int32_t i = 0; i < n; i++)
            y[i] = ember_mve_narrow_one(x[i], i, row, p);
    }
}

#endif
