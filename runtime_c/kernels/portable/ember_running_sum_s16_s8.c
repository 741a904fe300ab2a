/* q.running_sum, int16 x, int8 y: any values; sums wrap beyond the number of rows that the compiler proved. */
#include "ember_math.h"
#include "ember_stream.h"

void ember_running_sum_s16_s8(const int16_t *x, const int32_t *initial, int8_t *y, int32_t *total,
                              const ember_running_sum_params *p)
{
    for (int32_t o = 0; o < p->outer; o++) {
        for (int32_t i = 0; i < p->inner; i++) {
            uint32_t sum = (uint32_t)*initial++;
            for (int32_t l = 0; l < p->length; l++)
                sum += (uint32_t)(x[l * p->inner + i] - p->zx);
            *total++ = (int32_t)sum;
            *y++ = ember_clamp_s8(ember_high_multiply((int32_t)(sum << p->shift), p->m, p->zero_point));
        }
        x += p->length * p->inner;
    }
}
