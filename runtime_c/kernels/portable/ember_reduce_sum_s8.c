/* q.reduce_sum, int8 x, int8 y: any values; the compiler proved that the shifted sum fits 32 bits. */
#include "ember_math.h"
#include "ember_reduce.h"

void ember_reduce_sum_s8(const int8_t *x, int8_t *y, const ember_reduce_sum_params *restrict p)
{
    for (int32_t o = 0; o < p->outer; o++) {
        for (int32_t i = 0; i < p->inner; i++) {
            int32_t sum = -p->zx * p->length;
            for (int32_t l = 0; l < p->length; l++)
                sum += x[l * p->inner + i];
            sum = ember_shift_left(sum, p->shift);
            *y++ = ember_clamp_s8(ember_high_multiply(sum, p->m, p->zero_point));
        }
        x += p->length * p->inner;
    }
}
