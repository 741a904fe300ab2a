/* The body of q.attention, two query rows at a time, with K and V of a head as pairs of int16 in the same scratch, a block
 * after the other.
 *
 * The file that includes this says what depends on the type of q, k and v: `element`; BITS, those of one; pack_rows and
 * pack_columns, which make pairs of two rows and of columns; run_scores and run_mix, which fill in a block's end and
 * run it; weigh_scores, which is ember_attention_exp, named where the compiler looks for the files that a kernel needs.
 *
 * A chunk of query rows goes over blocks of packed keys, which gives its scores, then its weights; then over blocks of
 * packed columns of V. Repacking for every chunk costs (0.9 + 1.5) / (2 * rows of a chunk) a MAC; that it goes in
 * blocks costs nothing but the query rows, packed once a block.
 * Scratch, in words: keys [block / 2][head_dim / 4][4] or V [block / 2][keys / 4][4], scores
 * [chunk / 2][keys / 2][2], the rows' panels [head_dim / 4][4], masks [keys / 2][2]; keys and head_dim padded to
 * multiples of 4. Padding keys have K = V = 0 and are masked. An odd number of rows runs the last two again.
 *
 * Private to the kernels.
 */
#ifndef EMBER_ATTENTION_WALK_H
#define EMBER_ATTENTION_WALK_H

#include <stddef.h>

#include "ember_attention_armv7em.h"
#include "ember_math.h"

typedef struct {
    int32_t m;
    int32_t shift; /* to the right */
} row_scale;

/* `keys` of them from `from` on, where as many are left; 0 for padding. */
static void pack_keys(const element *k, int32_t from, int32_t keys, const ember_attention_layout *at,
                      const ember_attention_params *p)
{
    const int32_t end = ember_min(from + keys, p->kv_rows);
    int32_t *out = at->pack;
    for (int32_t j = from; j < end; j += 2) {
        const element *row = k + j * p->k_stride;
        out = pack_rows(row, j + 1 < end ? row + p->k_stride : row, p->head_dim, out);
    }
    memset(out, 0, (size_t)(at->pack + keys * at->dim / 2 - out) * sizeof *out);
}

/* The lanes of query rows i and i + step. */
static void build_masks(const uint8_t *mask, int32_t i, int32_t step, const ember_attention_layout *at,
                        const ember_attention_params *p)
{
    for (int32_t r = 0; r < 2; r++) {
        const int32_t row = i + r * step;
        const int32_t limit = p->causal ? ember_min(p->kv_rows, row + p->kv_rows - p->q_rows + 1) : p->kv_rows;
        const uint8_t *allowed = mask != NULL ? mask + row * p->mask_row : NULL;
        uint32_t *out = at->masks + r;
        int32_t j = 0;
        for (; j + 2 <= limit; j += 2, out += 2)
            *out = allowed == NULL ? 0xFFFFFFFFu : (allowed[j] ? 0xFFFFu : 0u) | (allowed[j + 1] ? 0xFFFF0000u : 0u);
        for (; j < at->keys; j += 2, out += 2)
            *out = j < limit && (allowed == NULL || allowed[j]) ? 0xFFFFu : 0u;
    }
}

/* One division a row, as in ember_attention_row.h. The shift goes into the multiplier where it is to the left. */
static row_scale scale_of(uint32_t total, const ember_attention_params *p)
{
    row_scale scale = {0, 0};
    if (total != 0) {
        const int32_t leading = ember_clz32(total);
        const uint32_t inverse = p->c_out / ((total << leading) >> 16);
        const int32_t left = leading - BITS + (p->shift_out < 0 ? p->shift_out : 0);
        scale.shift = left < 0 ? -left : 0;
        scale.m = (int32_t)(inverse << ((p->shift_out > 0 ? p->shift_out : 0) + (left > 0 ? left : 0)));
    }
    return scale;
}

/* Scores of two rows against the `keys` packed ones. */
static void score(const int32_t *rows, uint32_t *scores, int32_t keys, const ember_attention_layout *at,
                  const ember_attention_params *p)
{
    ember_pair_block block;
    block.rows = rows;
    block.rows_end = rows + at->dim;
    block.columns = at->pack;
    block.columns_end = at->pack + keys / 2 * at->dim;
    block.m0 = block.m1 = p->m_score;
    block.zero_point = 32768;
    block.y = scores;
    run_scores(&block, at->dim, p);
}

/* Weights of two rows, in place of their scores. */
static void weigh(uint32_t *scores, row_scale scales[2], const ember_attention_layout *at,
                  const ember_attention_params *p)
{
    uint32_t total[2];
    weigh_scores(scores, at->is_masked ? at->masks : NULL, at->keys, p->table, p->table_size, total);
    scales[0] = scale_of(total[0], p);
    scales[1] = scale_of(total[1], p);
}

/* Results of two rows, `stride` bytes apart, in the packed `columns`: an even number, or one that is packed beside itself,
 * whose results are set aside first. */
static void mix(const uint32_t *weights, const row_scale scales[2], uint8_t *y, int32_t stride, int32_t columns,
                const ember_attention_layout *at, const ember_attention_params *p, int32_t size)
{
    uint32_t aside[2];
    ember_pair_block block;
    block.rows = (const int32_t *)weights;
    block.rows_end = block.rows + at->keys;
    block.columns = at->pack;
    block.columns_end = at->pack + (columns + 1) / 2 * at->keys;
    block.m0 = scales[0].m;
    block.m1 = scales[1].m;
    block.shift0 = scales[0].shift;
    block.shift1 = scales[1].shift;
    block.zero_point = p->zero_point;
    block.y = columns == 1 ? (void *)aside : y;
    block.stride = columns == 1 ? 2 * size : stride;
    run_mix(&block, at->keys, size);
    for (int32_t i = 0; columns == 1 && i < size; i++) {
        y[i] = ((const uint8_t *)aside)[i];
        y[stride + i] = ((const uint8_t *)aside)[2 * size + i];
    }
}

/* One head: q, k, v and y at its columns of the batch's first row; mask at the batch's first row. */
static void one_head(const element *q, const element *k, const element *v, const uint8_t *mask, uint8_t *y,
                     const ember_attention_layout *at, const ember_attention_params *p, int32_t size)
{
    const int32_t by_row = p->causal || (mask != NULL && p->mask_row != 0);
    const int32_t step = p->q_rows > 1 ? 1 : 0;
    const int32_t last = p->q_rows - 1 - step; /* the last pair's first row */
    const int32_t stride = step * p->heads * p->head_dim * size;
    row_scale scales[EMBER_ATTENTION_CHUNK];
    for (int32_t from = 0; from < p->q_rows; from += at->chunk) {
        const int32_t rows = ember_min(at->chunk, p->q_rows - from);
        for (int32_t j = 0; j < at->keys; j += at->block) {
            const int32_t keys = ember_min(at->block, at->keys - j);
            pack_keys(k, j, keys, at, p);
            for (int32_t i = 0; i < rows; i += 2) {
                const element *pair = q + ember_min(from + i, last) * p->q_stride;
                int32_t *panel = at->rows + (at->panels > 1 ? i / 2 * at->dim : 0);
                if (j == 0 || rows > 2 * at->panels)
                    pack_rows(pair, pair + step * p->q_stride, p->head_dim, panel);
                score(panel, at->scores + i / 2 * at->keys + j, keys, at, p);
            }
        }
        for (int32_t i = 0; i < rows; i += 2) {
            if (by_row)
                build_masks(mask, ember_min(from + i, last), step, at, p);
            weigh(at->scores + i / 2 * at->keys, scales + i, at, p);
        }
        for (int32_t c = 0, columns; c < p->head_dim; c += columns) {
            columns = ember_min(at->columns, p->head_dim - c);
            columns -= columns > 1 ? columns & 1 : 0;
            pack_columns(v + c, p->v_stride, p->kv_rows, columns, at->pack);
            for (int32_t i = 0; i < rows; i += 2) {
                const uint32_t *weights = at->scores + i / 2 * at->keys;
                uint8_t *to = y + (ember_min(from + i, last) * p->heads * p->head_dim + c) * size;
                mix(weights, scales + i, to, stride, columns, at, p, size);
            }
        }
    }
}

/* All batches and heads; `size` is that of an element of y. */
static void all_heads(const element *q, const element *k, const element *v, const uint8_t *mask, uint8_t *y,
                      int32_t *scratch, const ember_attention_params *p, int32_t size)
{
    const ember_attention_layout at = ember_attention_layout_of(scratch, p, mask);
    for (int32_t b = 0; b < p->batches; b++) {
        const uint8_t *allowed = mask != NULL ? mask + b * p->mask_batch : NULL;
        if (at.is_masked && !p->causal && (mask == NULL || p->mask_row == 0))
            build_masks(allowed, 0, 0, &at, p);
        for (int32_t h = 0; h < p->heads; h++) {
            const int32_t shared = h / p->group * p->head_dim;
            one_head(q + b * p->q_rows * p->q_stride + p->q_offset + h * p->head_dim,
                     k + b * p->kv_rows * p->k_stride + p->k_offset + shared,
                     v + b * p->kv_rows * p->v_stride + p->v_offset + shared, allowed,
                     y + (b * p->q_rows * p->heads + h) * p->head_dim * size, &at, p, size);
        }
    }
}

#endif
