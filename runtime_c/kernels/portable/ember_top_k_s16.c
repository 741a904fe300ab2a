/* q.top_k, int16: any values. */
#include "ember_top_k.h"

void ember_top_k_s16(const int16_t *x, int16_t *values, int32_t *positions, const ember_top_k_params *restrict p)
{
    ember_top_k(x, values, positions, 2, p);
}
