/* q.requantize, int16 x, int16 y: any values; y may be x. */
#include "ember_elementwise.h"
#include "ember_math.h"

void ember_requantize_s16(const int16_t *x, int16_t *y, const ember_requantize_params *restrict p)
{
    for (int32_t i = 0; i < p->count; i++)
        y[i] = ember_clamp_s16((((x[i] * p->m) >> p->s) + p->c) >> p->frac);
}
