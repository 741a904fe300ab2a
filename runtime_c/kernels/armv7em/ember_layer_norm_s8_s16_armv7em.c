/* q.layer_norm, int8 x, int16 y: two passes a row. gains holds gamma and beta in turn (ember_norm_armv7em.h).
 *
 * Predicted 1.75 + 6.75 instructions an element and about 145 a row; measured on Cortex-M4 at 128 x 128: 9.59.
 */
#include "ember_norm_armv7em.h"

void ember_layer_norm_s8_s16_armv7em(const int8_t *x, int16_t *y, const ember_norm_gains_params *p)
{
    for (int32_t r = 0; r < p->shape.rows; r++) {
        const ember_norm_wide row = ember_norm_wide_of(ember_norm_sums_s8_armv7em(x, p->shape.n), &p->shape);
        const int32_t *gains = p->gains;
        int32_t left = p->shape.n;
        EMBER_NORM_WIDE_FOURS(EMBER_NORM_WIDE_S8);
        for (; left > 0; left--, gains += 2)
            *y++ = ember_norm_wide_one(*x++, row, gains);
    }
}
