/* q.layer_norm, int16 x, int16 y: two passes a row, any values; y may be x. */
#include "ember_norm_row.h"

void ember_layer_norm_s16(const int16_t *x, int16_t *y, const ember_layer_norm_wide_params *restrict p)
{
    const int32_t n = p->shape.n;
    const int32_t shift = p->shape.out_shift;
    for (int32_t r = 0; r < p->shape.rows; r++, x += n, y += n) {
        const ember_norm_wide row = ember_norm_wide_of(ember_norm_sums_s16(x, n), &p->shape);
        for (int32_t i = 0; i < n; i++)
            y[i] = ember_clamp_s16(ember_high_multiply(ember_norm_wide_t(x[i], row), p->gamma[i], p->beta[i]) >> shift);
    }
}
