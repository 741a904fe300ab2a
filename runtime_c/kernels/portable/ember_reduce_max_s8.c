/* q.reduce_max, int8. */
#include "ember_reduce.h"

void ember_reduce_max_s8(const int8_t *x, int8_t *y, const ember_reduce_max_params *restrict p)
{
    for (int32_t o = 0; o < p->outer; o++) {
        for (int32_t i = 0; i < p->inner; i++) {
            int8_t largest = x[i];
            for (int32_t l = 1; l < p->length; l++)
                if (x[l * p->inner + i] > largest)
                    largest = x[l * p->inner + i];
            *y++ = largest;
        }
        x += p->length * p->inner;
    }
}
