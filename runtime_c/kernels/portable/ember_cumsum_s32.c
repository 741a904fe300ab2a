/* q.cumsum over the middle axis of [outer, length, inner]: any values, sums wrap around; y may be x. */
#include "ember_index.h"

void ember_cumsum_s32(const int32_t *x, int32_t *y, const ember_cumsum_params *restrict p)
{
    for (int32_t o = 0; o < p->outer; o++) {
        for (int32_t i = 0; i < p->inner; i++) {
            uint32_t sum = 0;
            for (int32_t step = 0; step < p->length; step++) {
                const int32_t l = p->reverse ? p->length - 1 - step : step;
                const int32_t at = (o * p->length + l) * p->inner + i;
                const uint32_t before = sum;
                sum += (uint32_t)x[at];
                y[at] = (int32_t)(p->exclusive ? before : sum);
            }
        }
    }
}
