/* q.attention of int16: two query rows of a head by four keys, then by four columns of V, see ember_mve_attention.h.
 *
 * K is read where it lies; V is turned round once a head. v_stride <= 9360, so that seven rows are within a gather's
 * 16-bit offsets; y may be q where that has no columns but its heads', and overlaps none else.
 * Measured at 64,64,64, softmax and packing included: 0.477 a MAC.
 */
#include "ember_mve.h"

#if EMBER_HAS_MVE

#include "ember_mve_attention.h"
#include "ember_mve_attention_out.h"
#include "ember_mve_long.h"

enum { BITS = 16 };

/* V of the head as columns: [head_dim][padded keys]; what lies behind the last key is weighted by 0. */
static void pack_kv(const ember_mve_attention *at)
{
    const ember_attention_params *p = at->p;
    const int16_t *v = (const int16_t *)at->v + at->batch * p->kv_rows * p->v_stride + p->v_offset;
    const uint16x8_t offsets = vmulq_n_u16(vidupq_n_u16(0, 1), (uint16_t)p->v_stride);
    int16_t *to = (int16_t *)at->values;
    v += at->head / p->group * p->head_dim;
    for (int32_t c = 0; c < p->head_dim; c++, v++) {
        const int16_t *from = v;
        int32_t left = p->kv_rows;
        for (; left >= 8; left -= 8, from += 8 * p->v_stride, to += 8)
            vstrhq_s16(to, vldrhq_gather_shifted_offset_s16(from, offsets));
        if (left > 0) {
            vstrhq_s16(to, vldrhq_gather_shifted_offset_z_s16(from, offsets, vctp16q((uint32_t)left)));
            to += 8;
        }
    }
}

/* Two rows by the columns `at` elements from `base` and three more, `step` apart; none lies beyond `last`. */
static void sum_four(ember_mve_long_block *block, const int16_t *base, int32_t at, int32_t step, int32_t last)
{
    for (int32_t i = 0; i < 4; i++, at += step)
        block->columns[i] = base + ember_min(at, last);
    ember_mve_long_2x4(block);
    block->sums += 8;
}

/* Keys 0 2 4 6 and 1 3 5 7 of each eight; the last key stands in for those that are not there. */
static void sum_scores(ember_mve_attention *at, int32_t padded)
{
    const ember_attention_params *p = at->p;
    const int32_t stride = p->k_stride;
    const int32_t first = at->batch * p->q_rows + at->row;
    const int16_t *q = (const int16_t *)at->q + p->q_offset + at->head * p->head_dim;
    const int16_t *k = (const int16_t *)at->k + p->k_offset + at->head / p->group * p->head_dim;
    ember_mve_long_block block;
    k += at->batch * p->kv_rows * stride;
    block.row0 = q + first * p->q_stride;
    block.row1 = q + (first + at->rows - 1) * p->q_stride;
    block.k = p->head_dim;
    block.shift0 = block.shift1 = -p->shift_score;
    block.sums = at->sums;
    for (int32_t j = 0; j < padded; j += 8) {
        sum_four(&block, k, j * stride, 2 * stride, (p->kv_rows - 1) * stride);
        sum_four(&block, k, (j + 1) * stride, 2 * stride, (p->kv_rows - 1) * stride);
    }
}

/* Columns in the order of ember_mve_place; the last one stands in for those that are not there. */
static void sum_values(ember_mve_attention *at, int32_t padded)
{
    const int32_t d = at->p->head_dim, stride = at->padded;
    const int16_t *v = (const int16_t *)at->values;
    ember_mve_long_block block;
    block.row0 = at->weights;
    block.row1 = at->weights + (at->rows - 1) * stride;
    block.k = padded;
    block.shift0 = -at->shift[0];
    block.shift1 = -at->shift[at->rows - 1];
    block.sums = at->sums;
    if (padded == 0)
        return;
    for (int32_t c = 0; c + 16 <= d; c += 16)
        for (int32_t i = 0; i < 4; i++)
            sum_four(&block, v, (c + i) * stride, 4 * stride, (d - 1) * stride);
    for (int32_t c = d & ~15; c < d; c += 4)
        sum_four(&block, v, c * stride, stride, (d - 1) * stride);
}

#include "ember_mve_attend.h"

void ember_attention_s16_mve(const int16_t *q, const int16_t *k, const int16_t *v, const uint8_t *mask, int16_t *y,
                             void *scratch, const ember_attention_params *restrict p)
{
    ember_mve_attention at = ember_mve_attention_of(q, k, v, mask, scratch, p);
    at.values = at.keys;
    while (attend(&at)) {
        int16_t *out = y + ember_mve_attention_out(&at);
        for (int32_t r = 0; r < at.rows; r++, out += p->heads * p->head_dim)
            ember_mve_attention_store(at.sums + 4 * r, out, p->head_dim, at.m[r], 0, p->zero_point);
    }
}

#else

void ember_attention_s16_mve(const int16_t *q, const int16_t *k, const int16_t *v, const uint8_t *mask, int16_t *y,
                             void *scratch, const ember_attention_params *restrict p)
{
    ember_attention_s16(q, k, v, mask, y, scratch, p);
}

#endif
