#include "negate.h"

void negate_s8(const int8_t *x, int8_t *y, const negate_params *p)
{
    for (int32_t i = 0; i < p->count; i++) {
        y[i] = x[i] == p->lowest ? INT8_MAX : (int8_t)-x[i];
    }
}
