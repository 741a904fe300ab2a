/* q.top_k, int32: any values. */
#include "ember_top_k.h"

void ember_top_k_s32(const int32_t *x, int32_t *values, int32_t *positions, const ember_top_k_params *restrict p)
{
    ember_top_k(x, values, positions, 4, p);
}
