/* q.widen: truth values as int32; y is not x. */
#include "ember_index.h"

void ember_widen(const uint8_t *x, int32_t *y, const ember_widen_params *restrict p)
{
    for (int32_t i = 0; i < p->count; i++)
        y[i] = x[i] != 0;
}
