/* q.attention with int16 q, k and v: sums of products in 64 bits, one query row of one head at a time.
 *
 * Private to the portable kernels. The compiler proved that scores, weighted sums and their shifts fit 32 bits.
 */
#ifndef EMBER_ATTENTION_ROW_S16_H
#define EMBER_ATTENTION_ROW_S16_H

#include "ember_attention_softmax.h"

/* One query row of one head. */
typedef struct {
    const int16_t *q;    /* [head_dim] */
    const int16_t *k;    /* rows k_stride apart */
    const int16_t *v;    /* rows v_stride apart */
    const uint8_t *mask; /* [kv_rows] or NULL */
    const int16_t *bias; /* [kv_rows], added to the scores, or NULL */
    int32_t keys;        /* the causal limit, or kv_rows; may be 0 or less */
} ember_attention_view_s16;

/* weights[j] = table[max s - s[j]], 0 for masked keys, for j < keys; returns their sum, 0 when no key is allowed. */
static inline uint32_t ember_attention_weights_s16(const ember_attention_view_s16 *at, int16_t *weights,
                                                   const ember_attention_params *p)
{
    int32_t largest = INT16_MIN;
    const int16_t *k = at->k;
    for (int32_t j = 0; j < at->keys; j++) {
        int64_t acc = 0;
        for (int32_t i = 0; i < p->head_dim; i++)
            acc += (int32_t)at->q[i] * k[i];
        k += p->k_stride;
        const int32_t add = at->bias != NULL ? at->bias[j] : 0;
        weights[j] = ember_clamp_s16(ember_high_multiply(ember_shift64(acc, p->shift_score), p->m_score, add));
        if (weights[j] > largest && (at->mask == NULL || at->mask[j]))
            largest = weights[j];
    }
    return ember_attention_softmax(weights, largest, at->mask, at->keys, p);
}

/* y[c] = sum_j weights[j] * v[j, c], requantized, c < head_dim; four columns share the loads of the weights. */
static inline void ember_attention_mix_s16(const ember_attention_view_s16 *at, const int16_t *weights, int16_t *y,
                                           const ember_attention_params *p, uint32_t total)
{
    const ember_attention_scale scale = ember_attention_scale_of(total, p);
    for (int32_t c = 0; c < p->head_dim; c += 4) {
        const int32_t used = ember_min(4, p->head_dim - c);
        const int16_t *v = at->v + c;
        int64_t acc[4] = {0, 0, 0, 0};
        for (int32_t j = 0; j < at->keys; j++) {
            const int32_t e = weights[j];
            acc[0] += e * v[0];
            acc[1] += e * v[ember_min(1, used - 1)];
            acc[2] += e * v[ember_min(2, used - 1)];
            acc[3] += e * v[ember_min(3, used - 1)];
            v += p->v_stride;
        }
        for (int32_t i = 0; i < used; i++) { /* a sum is 8 bits longer than of int8 values */
            const int32_t a = ember_shift64(acc[i], scale.shift - 8);
            y[c + i] = ember_clamp_s16(ember_high_multiply(a, scale.m, p->zero_point));
        }
    }
}

/* All rows and heads; bias [heads, q_rows, kv_rows] or NULL; y may be q where that has no columns but its heads'. */
static inline void ember_attention_rows_s16(const int16_t *q, const int16_t *k, const int16_t *v, const uint8_t *mask,
                                            const int16_t *bias, int16_t *y, int16_t *weights,
                                            const ember_attention_params *p)
{
    for (int32_t row = 0; row < p->batches * p->q_rows; row++) {
        const int32_t batch = row / p->q_rows;
        const int32_t i = row % p->q_rows;
        for (int32_t h = 0; h < p->heads; h++) {
            const int32_t shared = h / p->group * p->head_dim;
            ember_attention_view_s16 at;
            at.q = q + row * p->q_stride + p->q_offset + h * p->head_dim;
            at.k = k + batch * p->kv_rows * p->k_stride + p->k_offset + shared;
            at.v = v + batch * p->kv_rows * p->v_stride + p->v_offset + shared;
            at.mask = mask != NULL ? mask + batch * p->mask_batch + i * p->mask_row : NULL;
            at.bias = bias != NULL ? bias + (h * p->q_rows + i) * p->kv_rows : NULL;
            at.keys = p->causal ? ember_min(p->kv_rows, i + p->kv_rows - p->q_rows + 1) : p->kv_rows;
            ember_attention_mix_s16(&at, weights, y, p, ember_attention_weights_s16(&at, weights, p));
            y += p->head_dim;
        }
    }
}

#endif
