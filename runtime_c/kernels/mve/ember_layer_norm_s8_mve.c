/* q.layer_norm, int8 x, int8 y: see ember_mve_norm.h. Measured at 128 x 128: 3.61 an element. */
#include "ember_mve.h"

#if EMBER_HAS_MVE

#include "ember_mve_norm.h"

void ember_layer_norm_s8_mve(const int8_t *x, int8_t *y, const ember_mve_norm_params *restrict p)
{
    ember_mve_layer_norm(x, 1, y, 1, p);
}

#else

#include "ember_mve_norm_plain.h"

void ember_layer_norm_s8_mve(const int8_t *x, int8_t *y, const ember_mve_norm_params *restrict p)
{
    for (int32_t r = 0; r < p->rows; r++, x += p->n, y += p->n) {
        int32_t sum = 0;
        uint64_t squares = 0;
        ember_mve_norm row;
        for (int32_t i = 0; i < p->n; i++) {
            sum += x[i];
            squares += (uint32_t)(x[i] * x[i]);
        }
        row = ember_mve_norm_of(sum, squares, p);
        for (int32_t i = 0; i < p->n; i++)
            y[i] = ember_clamp_s8(ember_mve_norm_element(x[i], i, &row, p));
    }
}

#endif
