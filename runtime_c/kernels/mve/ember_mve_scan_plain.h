/* What the Helium kernels of q.selective_scan compute, in plain C: for processors without vectors, and to read.
 *
 * Private to the Helium kernels.
 */
#ifndef EMBER_MVE_SCAN_PLAIN_H
#define EMBER_MVE_SCAN_PLAIN_H

#include "ember_math.h"
#include "ember_mve_scan.h"

/* log_a of a channel's state n. */
static inline int32_t log_a_of(int32_t channel, int32_t n, const ember_mve_scan_params *p)
{
    const int32_t before = n & ~(EMBER_MVE_SCAN_STATES - 1);
    const int32_t padded = (ember_min(p->states - before, EMBER_MVE_SCAN_STATES) + 7) & ~7;
    if (p->alike)
        return p->log_a[channel / (p->channels / p->heads)];
    return p->log_a[p->channels * before + channel * padded + n - before];
}

/* The sum over the states of one channel's step. */
static inline int32_t sum_of(int32_t channel, int32_t xx, int32_t v, const int16_t *b, const int16_t *c, int16_t *h,
                             const ember_mve_scan_params *p)
{
    const uint32_t entry = p->softplus[ember_clamp(v, 0, p->levels - 1)];
    const int16_t *decays = p->decay + (entry & 4095u);
    const int32_t u = ember_clamp_s16(ember_high_multiply((int32_t)(entry >> 12) * xx, p->mu[channel], 0));
    uint32_t acc = (uint32_t)p->skip[channel] * (uint32_t)xx;
    for (int32_t n = 0; n < p->states; n++) {
        const int32_t decay = decays[log_a_of(channel, n, p)];
        h[n] = ember_clamp_s16(((decay * h[n]) >> 15) + ((u * b[n]) >> 15) + 1);
        acc += (uint32_t)(c[n] * h[n]);
    }
    return (int32_t)acc;
}

static inline void plain_steps(const int8_t *x, const int16_t *v, const int16_t *b, const int16_t *c, const int8_t *z,
                               uint8_t *y, int wide, int16_t *state, const ember_mve_scan_params *p)
{
    const int32_t width = p->channels / p->heads, in_group = p->channels / p->groups, row = p->groups * p->states;
    for (int32_t batch = 0; batch < p->batches; batch++, state += p->channels * p->states) {
        for (int32_t t = 0; t < p->steps; t++, v += p->heads, b += row, c += row) {
            for (int32_t d = 0; d < p->channels; d++, x++) {
                const int32_t at = d / in_group * p->states;
                int32_t sum = sum_of(d, *x - p->zx, v[d / width], b + at, c + at, state + d * p->states, p);
                sum = ember_high_multiply(sum, p->my[d], 0);
                if (z != NULL)
                    sum = ember_high_multiply(ember_clamp_s16(sum) * p->gate[(uint8_t)*z++], p->mo[d], 0);
                if (wide)
                    ((int16_t *)(void *)y)[d] = ember_clamp_s16(sum);
                else
                    ((int8_t *)y)[d] = ember_clamp_s8(sum);
            }
            y += wide ? 2 * p->channels : p->channels;
        }
    }
}

#endif
