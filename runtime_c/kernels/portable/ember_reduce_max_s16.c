/* q.reduce_max, int16. */
#include "ember_reduce.h"

void ember_reduce_max_s16(const int16_t *x, int16_t *y, const ember_reduce_max_params *restrict p)
{
    for (int32_t o = 0; o < p->outer; o++) {
        for (int32_t i = 0; i < p->inner; i++) {
            int16_t largest = x[i];
            for (int32_t l = 1; l < p->length; l++)
                if (x[l * p->inner + i] > largest)
                    largest = x[l * p->inner + i];
            *y++ = largest;
        }
        x += p->length * p->inner;
    }
}
