/* What the q.attention kernels share: the weights of one query row of one head, and the mix of four columns.
 *
 * Private to the portable kernels. The compiler proved that scores, weighted sums and their shifts fit 32 bits;
 * the total of the weights is below 2^24.
 */
#ifndef EMBER_ATTENTION_ROW_H
#define EMBER_ATTENTION_ROW_H

#include "ember_attention_softmax.h"
#include "ember_dot.h"

/* One query row of one head. */
typedef struct {
    const int8_t *q;     /* [head_dim] */
    const int8_t *k;     /* rows k_stride apart */
    const int8_t *v;     /* rows v_stride apart */
    const uint8_t *mask; /* [kv_rows] or NULL */
    const int16_t *bias; /* [kv_rows], added to the scores, or NULL */
    int32_t keys;        /* the causal limit, or kv_rows; may be 0 or less */
} ember_attention_view;

static inline ember_attention_view ember_attention_at(const int8_t *q, const int8_t *k, const int8_t *v,
                                                      const uint8_t *mask, int32_t row, int32_t head,
                                                      const ember_attention_params *p)
{
    const int32_t batch = row / p->q_rows;
    const int32_t i = row % p->q_rows;
    const int32_t shared = head / p->group * p->head_dim;
    ember_attention_view at;
    at.q = q + row * p->q_stride + p->q_offset + head * p->head_dim;
    at.k = k + batch * p->kv_rows * p->k_stride + p->k_offset + shared;
    at.v = v + batch * p->kv_rows * p->v_stride + p->v_offset + shared;
    at.mask = mask != NULL ? mask + batch * p->mask_batch + i * p->mask_row : NULL;
    at.bias = NULL;
    at.keys = p->causal ? ember_min(p->kv_rows, i + p->kv_rows - p->q_rows + 1) : p->kv_rows;
    return at;
}

/* weights[j] = table[max s - s[j]], 0 for masked keys, for j < keys; returns their sum, 0 when no key is allowed. */
static inline uint32_t ember_attention_weights(const ember_attention_view *at, int16_t *weights,
                                               const ember_attention_params *p)
{
    int32_t largest = INT16_MIN;
    for (int32_t j = 0; j < at->keys; j += 4) {
        const int32_t used = ember_min(4, at->keys - j);
        int32_t acc[4] = {0, 0, 0, 0};
        ember_dot4_s8(at->q, at->k + j * p->k_stride, p->k_stride, p->head_dim, used, acc);
        for (int32_t i = 0; i < used; i++) {
            const int32_t add = at->bias != NULL ? at->bias[j + i] : 0;
            const int32_t s = ember_high_multiply(ember_shift_left(acc[i], p->shift_score), p->m_score, add);
            weights[j + i] = ember_clamp_s16(s);
            if (weights[j + i] > largest && (at->mask == NULL || at->mask[j + i]))
                largest = weights[j + i];
        }
    }
    return ember_attention_softmax(weights, largest, at->mask, at->keys, p);
}

/* mixed[i] = sum_j weights[j] * v[j, c + i], requantized, i < used */
static inline void ember_attention_mix4(const ember_attention_view *at, const int16_t *weights,
                                        ember_attention_scale scale, int32_t c, int32_t used, int32_t mixed[4],
                                        const ember_attention_params *p)
{
    const int32_t last = used - 1;
    const int8_t *v = at->v + c;
    int32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0;
    for (int32_t j = 0; j < at->keys; j++) {
        const int32_t e = weights[j];
        a0 += e * v[0];
        a1 += e * v[ember_min(1, last)];
        a2 += e * v[ember_min(2, last)];
        a3 += e * v[ember_min(3, last)];
        v += p->v_stride;
    }
    const int32_t acc[4] = {a0, a1, a2, a3};
    for (int32_t i = 0; i < used; i++)
        mixed[i] = ember_high_multiply(ember_shift(acc[i], scale.shift), scale.m, p->zero_point);
}

#endif
