/* q.layer_norm, int8 x, int16 y: two passes a row. See ember_rv32_norm.h.
 *
 * Measured at 128 x 128: 21.1 instructions an element.
 */
#include "ember_rv32_norm.h"

EMBER_RV32_KEEP_ORDER

void ember_layer_norm_s8_s16_rv32(const int8_t *x, int16_t *y, const ember_norm_gains_params *p)
{
    const int32_t n = p->shape.n;
    const int32_t shift = p->shape.out_shift + 1;
    for (int32_t r = 0; r < p->shape.rows; r++, x += n, y += n) {
        const ember_norm_wide row = ember_norm_wide_of(ember_rv32_sums_s8(x, n), &p->shape);
        const int32_t *gains = p->gains;
        EMBER_RV32_BY_FOURS
        for (int32_t i = 0; i < n; i++, gains += 2)
            y[i] = ember_rv32_norm_wide(x[i], row, gains, shift);
    }
}
