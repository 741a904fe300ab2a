/* q.attention: four query rows of a head at a time, so that every key and value is read once for four of them.
 *
 * Idea: the scores are products of int8, so two query rows share a word (ember_rv32_pairs.h): 4 rows x 2 keys. The
 * weights have up to 15 bits, two products no longer fit one word: plain products, 4 rows x 4 columns of v. Of fewer
 * than four rows the last is repeated.
 * Registers: scores 8 running sums, 4 words of q, 2 keys' elements, 2 products, panel, end, two keys, the lift; mix
 * 16 sums, 4 of v, a weight, a product, weights, v, stride, end.
 * Instructions per MAC: scores 36 / 16 = 2.25, loop control 4 / 32, about 24 a score; mix 42 / 16 = 2.625, about
 * 16 an output.
 * Measured at 64,64,64: 3.01 a MAC to int8.
 *
 * Private to the rv32 kernels. head_dim >= 4. `wide` is 1 for int16 y and known at compile time.
 */
#ifndef EMBER_RV32_ATTENTION_H
#define EMBER_RV32_ATTENTION_H

#include "ember_rv32_scores.h"

/* One key's part of the sums [row][column] of four columns of v. */
EMBER_RV32_INLINE void ember_rv32_mix_unit(int32_t *s, const int16_t *weights, const int8_t *v)
{
    const int32_t v0 = v[0], v1 = v[1], v2 = v[2], v3 = v[3];
    EMBER_RV32_UNROLLED
    for (int32_t r = 0; r < EMBER_RV32_QUERIES; r++) {
        const int32_t e = weights[r];
        s[4 * r] += e * v0;
        s[4 * r + 1] += e * v1;
        s[4 * r + 2] += e * v2;
        s[4 * r + 3] += e * v3;
    }
}

/* sums [row][column] of four columns of v */
EMBER_RV32_INLINE void ember_rv32_mix(int32_t *sums, const int16_t *weights, const int8_t *v, int32_t keys,
                                      int32_t v_stride)
{
    int32_t s[16] = {0};
    const int16_t *const end = weights + keys * EMBER_RV32_QUERIES;
    if (keys % 2 != 0) {
        ember_rv32_mix_unit(s, weights, v);
        weights += EMBER_RV32_QUERIES;
        v += v_stride;
    }
    while (weights != end) {
        ember_rv32_mix_unit(s, weights, v);
        v += v_stride;
        ember_rv32_mix_unit(s, weights + EMBER_RV32_QUERIES, v);
        v += v_stride;
        weights += 2 * EMBER_RV32_QUERIES;
    }
    EMBER_RV32_UNROLLED
    for (int32_t i = 0; i < 16; i++)
        sums[i] = s[i];
}

/* All columns of a head for `used` rows; the last four columns overlap those before them. */
EMBER_RV32_INLINE void ember_rv32_head(const ember_attention_view *at, const int16_t *weights, int32_t keys,
                                       const uint32_t *totals, void *y, int wide, int32_t used,
                                       const ember_attention_params *p)
{
    ember_attention_scale scales[EMBER_RV32_QUERIES];
    for (int32_t r = 0; r < used; r++)
        scales[r] = ember_attention_scale_of(totals[r], p);
    const int32_t stride = p->heads * p->head_dim;
    for (int32_t next = 0; next < p->head_dim; next += 4) {
        const int32_t c = ember_min(next, p->head_dim - 4);
        int32_t sums[16];
        ember_rv32_mix(sums, weights, at->v + c, keys, p->v_stride);
        for (int32_t r = 0; r < used; r++) {
            const int32_t left = scales[r].shift > 0 ? scales[r].shift : 0, right = left - scales[r].shift;
            for (int32_t i = 0; i < 4; i++) {
                const int32_t sum = ember_shift_left(sums[4 * r + i], left) >> right;
                const int32_t mixed = ember_high_multiply(sum, scales[r].m, p->zero_point);
                if (wide)
                    ((int16_t *)y)[r * stride + c + i] = ember_clamp_s16(mixed);
                else
                    ((int8_t *)y)[r * stride + c + i] = ember_clamp_s8(mixed);
            }
        }
    }
}

EMBER_RV32_INLINE void ember_rv32_attention(const int8_t *q, const int8_t *k, const int8_t *v, const uint8_t *mask,
                                            void *y, int wide, void *scratch, const ember_attention_params *p)
{
    int32_t *const panel = scratch;
    int16_t *const scores = (int16_t *)(panel + 2 * (p->head_dim + 1));
    int32_t used;
    for (int32_t row = 0; row < p->batches * p->q_rows; row += used) {
        used = ember_min(EMBER_RV32_QUERIES, p->q_rows - row % p->q_rows);
        for (int32_t h = 0; h < p->heads; h++) {
            const int32_t to = (row * p->heads + h) * p->head_dim;
            ember_attention_view at[EMBER_RV32_QUERIES];
            uint32_t totals[EMBER_RV32_QUERIES];
            for (int32_t r = 0; r < EMBER_RV32_QUERIES; r++)
                at[r] = ember_attention_at(q, k, v, mask, row + ember_min(r, used - 1), h, p);
            const int32_t keys = at[used - 1].keys;
            ember_rv32_queries(panel, at, p->head_dim);
            ember_rv32_scores(scores, panel, at->k, keys, p);
            if (p->causal || p->mask_row != 0) {
                for (int32_t r = 0; r < EMBER_RV32_QUERIES; r++)
                    ember_rv32_weights(scores + r, totals + r, 1, at + r, keys, p);
            } else {
                ember_rv32_weights(scores, totals, EMBER_RV32_QUERIES, at, keys, p);
            }
            ember_rv32_head(at, scores, keys, totals, wide ? (void *)((int16_t *)y + to) : (void *)((int8_t *)y + to),
                            wide, used, p);
        }
    }
}

#endif
