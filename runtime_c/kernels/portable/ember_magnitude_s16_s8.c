/* q.magnitude, int16 x and y, int8 z: any values. */
#include "ember_elementwise.h"
#include "ember_magnitude.h"

void ember_magnitude_s16_s8(const int16_t *x, const int16_t *y, int8_t *z, const ember_magnitude_params *restrict p)
{
    for (int32_t i = 0; i < p->count; i++)
        z[i] = ember_clamp_s8(ember_high_multiply(ember_length(x[i], y[i]), p->m, p->zero_point));
}
