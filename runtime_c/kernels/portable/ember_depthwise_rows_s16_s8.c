/* q.depthwise_rows, int16 x, int8 y: any values; the compiler proved that the shifted sums fit 32 bits. */
#include "ember_math.h"
#include "ember_rows.h"

void ember_depthwise_rows_s16_s8(const int16_t *x, int8_t *y, const ember_depthwise_rows_params *restrict p)
{
    for (int32_t b = 0; b < p->batches; b++) {
        for (int32_t t = 0; t < p->rows; t++) {
            for (int32_t c = 0; c < p->channels; c++) {
                int32_t sum = p->bias[c];
                for (int32_t k = 0; k < p->taps; k++) {
                    const int32_t row = t + k * p->dilation - p->before;
                    if (row >= 0 && row < p->x_rows)
                        sum += (x[row * p->channels + c] - p->zx) * p->w[k * p->channels + c];
                }
                *y++ = ember_clamp_s8(ember_high_multiply(ember_shift_left(sum, p->shift), p->m[c], p->zero_point));
            }
        }
        x += p->x_rows * p->channels;
    }
}
