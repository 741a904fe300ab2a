/* q.top_k, int8: any values. */
#include "ember_top_k.h"

void ember_top_k_s8(const int8_t *x, int8_t *values, int32_t *positions, const ember_top_k_params *restrict p)
{
    ember_top_k(x, values, positions, 1, p);
}
