/* q.layer_norm, int16 x, int8 y: two passes a row, any values. */
#include "ember_norm_row.h"

void ember_layer_norm_s16_s8(const int16_t *x, int8_t *y, const ember_layer_norm_params *restrict p)
{
    for (int32_t r = 0; r < p->rows; r++) {
        int32_t sum = 0;
        uint64_t squares = 0;
        for (int32_t i = 0; i < p->n; i++) {
            sum += x[i];
            squares += (uint32_t)(x[i] * x[i]);
        }
        const ember_norm_row row = ember_norm_scale(sum, squares, p);
        for (int32_t i = 0; i < p->n; i++)
            y[i] = ember_clamp_s8(ember_norm_element(x[i], i, &row, p));
        x += p->n;
        y += p->n;
    }
}
