/* q.nonzero, int8: y[i] = x[i] != 0; y may be x. */
#include "ember_logic.h"

void ember_nonzero_s8(const int8_t *x, uint8_t *y, const ember_nonzero_params *restrict p)
{
    for (int32_t i = 0; i < p->count; i++)
        y[i] = x[i] != 0;
}
