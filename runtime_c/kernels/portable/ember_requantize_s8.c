/* q.requantize, int8 x, int8 y: any values; y may be x. */
#include "ember_elementwise.h"
#include "ember_math.h"

void ember_requantize_s8(const int8_t *x, int8_t *y, const ember_requantize_params *restrict p)
{
    for (int32_t i = 0; i < p->count; i++)
        y[i] = ember_clamp_s8((((x[i] * p->m) >> p->s) + p->c) >> p->frac);
}
