/* q.causal_conv: any values; the compiler proved that the shifted sums fit 32 bits. No scratch. */
#include <stddef.h>

#include "ember_math.h"
#include "ember_scan.h"

/* Element [row, c] of x, or of the rows before it where row is negative. */
static int32_t row_element(const int8_t *x, const int8_t *initial, int32_t row, int32_t c,
                           const ember_causal_conv_params *p)
{
    if (row >= 0)
        return x[row * p->channels + c];
    return initial == NULL ? p->zx : initial[(row + p->taps - 1) * p->channels + c];
}

/* v saturated to int8, or looked up in the curve of channel c. */
static int8_t result(int32_t v, int32_t c, const ember_causal_conv_params *p)
{
    if (p->table == NULL)
        return ember_clamp_s8(v);
    return p->table[(p->curve == NULL ? 0 : p->curve[c] * p->levels) + ember_clamp(v, 0, p->levels - 1)];
}

void ember_causal_conv_s8(const int8_t *x, const int8_t *initial, int8_t *y, int8_t *tail, void *scratch,
                          const ember_causal_conv_params *p)
{
    (void)scratch;
    for (int32_t b = 0; b < p->batches; b++) {
        for (int32_t t = 0; t < p->rows; t++) {
            for (int32_t c = 0; c < p->channels; c++) {
                int32_t sum = p->bias[c];
                for (int32_t k = 0; k < p->taps; k++)
                    sum += row_element(x, initial, t - p->taps + 1 + k, c, p) * p->w[k * p->channels + c];
                sum = ember_high_multiply(ember_shift_left(sum, p->shift), p->m[c], p->zero_point);
                *y++ = result(sum, c, p);
            }
        }
        /* rows move towards lower addresses, so tail may be initial */
        for (int32_t k = 0; tail != NULL && k < p->taps - 1; k++) {
            for (int32_t c = 0; c < p->channels; c++)
                *tail++ = (int8_t)row_element(x, initial, p->rows - p->taps + 1 + k, c, p);
        }
        x += p->rows * p->channels;
        initial = initial == NULL ? NULL : initial + (p->taps - 1) * p->channels;
    }
}
