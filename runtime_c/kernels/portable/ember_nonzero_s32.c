/* q.nonzero, int32: y[i] = x[i] != 0. */
#include "ember_logic.h"

void ember_nonzero_s32(const int32_t *x, uint8_t *y, const ember_nonzero_params *restrict p)
{
    for (int32_t i = 0; i < p->count; i++)
        y[i] = x[i] != 0;
}
