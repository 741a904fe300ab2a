/* One channel's step of q.selective_scan, and the head and the state that it works on. */
#ifndef EMBER_SCAN_STEP_H
#define EMBER_SCAN_STEP_H

#include <stddef.h>
#include <string.h>

#include "ember_math.h"
#include "ember_scan.h"

#define EMBER_SCAN_LOG_BITS 12

/* What all channels of a head share in one step. */
typedef struct {
    const int16_t *decay;  /* moved by the logarithm of Delta */
    const uint16_t *log_a; /* [states] or [1] */
    const int16_t *b;      /* [states] */
    const int16_t *c;      /* [states] */
    int32_t delta;
} ember_scan_head;

static inline void ember_scan_start(const int16_t *initial, int16_t *state, const ember_selective_scan_params *p)
{
    const size_t bytes = (size_t)p->batches * (size_t)p->channels * (size_t)p->states * sizeof *state;
    if (initial == NULL)
        memset(state, 0, bytes);
    else if (initial != state)
        memcpy(state, initial, bytes);
}

/* b, c: the rows of this step, [groups * states]. */
static inline ember_scan_head ember_scan_head_of(int32_t head, int32_t v, const int16_t *b, const int16_t *c,
                                                 const ember_selective_scan_params *p)
{
    const uint32_t entry = p->softplus[ember_clamp(v, 0, p->levels - 1)];
    const int32_t group = head * p->groups / p->heads * p->states;
    const ember_scan_head h = {p->decay + (entry & ((1u << EMBER_SCAN_LOG_BITS) - 1u)),
                               p->log_a + head * (p->log_a_step ? p->states : 1), b + group, c + group,
                               (int32_t)(entry >> EMBER_SCAN_LOG_BITS)};
    return h;
}

/* The channel's output before its gate, int32; h: [states], its state. Sums wrap, as the op defines. */
static inline int32_t ember_scan_channel(int32_t xx, int32_t channel, const ember_scan_head *k, int16_t *h,
                                         const ember_selective_scan_params *p)
{
    const int32_t u = ember_clamp_s16(ember_high_multiply(k->delta * xx, p->mu[channel], 0));
    const int32_t step = p->log_a_step;
    uint32_t acc = (uint32_t)p->skip[channel] * (uint32_t)xx;
    for (int32_t n = 0; n < p->states; n++) {
        h[n] = ember_clamp_s16(((k->decay[k->log_a[n * step]] * h[n]) >> 15) + ((u * k->b[n]) >> 15) + 1);
        acc += (uint32_t)(k->c[n] * h[n]);
    }
    return ember_high_multiply((int32_t)acc, p->my[channel], 0);
}

/* y gated by z, still to be saturated to its element type. */
static inline int32_t ember_scan_gate(int32_t y, int8_t z, int32_t channel, const ember_selective_scan_params *p)
{
    return ember_high_multiply(ember_clamp_s16(y) * p->gate[z + 128], p->mo[channel], 0);
}

#endif
