/* q.layer_norm, int8 x, int8 y: two passes a row; y may be x. See ember_rv32_norm.h.
 *
 * Measured at 128 x 128: 19.2 instructions an element.
 */
#include "ember_rv32_norm.h"

EMBER_RV32_KEEP_ORDER

void ember_layer_norm_s8_rv32(const int8_t *x, int8_t *y, const ember_norm_gains_params *p)
{
    const int32_t n = p->shape.n;
    const int32_t shift = p->shape.out_shift + 15;
    for (int32_t r = 0; r < p->shape.rows; r++, x += n, y += n) {
        const ember_norm_narrow row = ember_norm_narrow_of(ember_rv32_sums_s8(x, n), &p->shape);
        const int32_t *gains = p->gains;
        EMBER_RV32_BY_FOURS
        for (int32_t i = 0; i < n; i++, gains += 2)
            y[i] = ember_rv32_norm_narrow(x[i], row, gains, shift);
    }
}
