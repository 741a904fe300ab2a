/* q.requantize, int16 x, int16 y: see ember_rv32_sum.h. Measured at 128 x 128: 8.4 an element. */
#include "ember_rv32_sum.h"

void ember_requantize_s16_rv32(const int16_t *x, int16_t *y, const ember_requantize_params *restrict p)
{
    ember_rv32_rescale(x, 1, y, 1, p);
}
