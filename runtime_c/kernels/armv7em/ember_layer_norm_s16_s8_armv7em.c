/* q.layer_norm, int16 x, int8 y: two passes a row. gains holds gamma and beta in turn (ember_norm_armv7em.h).
 *
 * Predicted 1.5 + 5 instructions an element and about 145 a row; measured on Cortex-M4 at 128 x 128: 7.76.
 */
#include "ember_norm_armv7em.h"

void ember_layer_norm_s16_s8_armv7em(const int16_t *x, int8_t *y, const ember_norm_gains_params *p)
{
    for (int32_t r = 0; r < p->shape.rows; r++) {
        const ember_norm_narrow row = ember_norm_narrow_of(ember_norm_sums_s16_armv7em(x, p->shape.n), &p->shape);
        const int32_t *gains = p->gains;
        int32_t left = p->shape.n;
        EMBER_NORM_NARROW_FOURS(EMBER_NORM_NARROW_S16);
        for (; left > 0; left--, gains += 2)
            *y++ = ember_norm_narrow_one(*x++, row, gains);
    }
}
