/* q.attention with K and V widened once a head, two query rows at a time.
 *
 * Scratch, in words: K [keys / 2][head_dim / 4][4], V [head_dim / 2][keys / 4][4], scores [keys / 2][2], the rows'
 * panel [head_dim / 4][4], masks [keys / 2][2]; keys and head_dim padded to multiples of 4. Padding keys have K = V = 0
 * and are masked. An odd number of rows runs the last two again.
 */
#include <stddef.h>

#include "ember_attention_armv7em.h"
#include "ember_math.h"

typedef struct {
    int32_t keys; /* padded */
    int32_t dim;  /* padded */
    int32_t *k;
    int32_t *v;
    uint32_t *scores;
    int32_t *rows;
    uint32_t *masks;
    int32_t is_masked;
} layout;

static layout layout_of(int32_t *scratch, const ember_attention_params *p, const uint8_t *mask)
{
    layout at;
    at.keys = (p->kv_rows + 3) & ~3;
    at.dim = (p->head_dim + 3) & ~3;
    at.k = scratch;
    at.v = at.k + at.keys * at.dim / 2;
    at.scores = (uint32_t *)(at.v + p->head_dim / 2 * at.keys);
    at.rows = (int32_t *)at.scores + at.keys;
    at.masks = (uint32_t *)at.rows + at.dim;
    at.is_masked = mask != NULL || p->causal != 0 || at.keys != p->kv_rows;
    return at;
}

static void pack_keys(const int8_t *k, const layout *at, const ember_attention_params *p)
{
    int32_t *out = at->k;
    int32_t j = 0;
    for (; j + 2 <= p->kv_rows; j += 2, k += 2 * p->k_stride)
        out = ember_pair_rows(k, k + p->k_stride, p->head_dim, out);
    if (j < p->kv_rows)
        out = ember_pair_rows(k, k, p->head_dim, out);
    memset(out, 0, (size_t)(at->v - out) * sizeof *out);
}

/* The lanes of query rows i and i + step. */
static void build_masks(const uint8_t *mask, int32_t i, int32_t step, const layout *at, const ember_attention_params *p)
{
    for (int32_t r = 0; r < 2; r++) {
        const int32_t row = i + r * step;
        const int32_t limit = p->causal ? ember_min(p->kv_rows, row + p->kv_rows - p->q_rows + 1) : p->kv_rows;
        const uint8_t *allowed = mask != NULL ? mask + row * p->mask_row : NULL;
        uint16_t *lanes = (uint16_t *)(void *)(at->masks + r);
        for (int32_t j = 0; j < at->keys; j++)
            lanes[(j & ~1) * 2 + (j & 1)] = j < limit && (allowed == NULL || allowed[j]) ? 0xFFFFu : 0u;
    }
}

/* One division a row, as in ember_attention_row.h. The shift goes into the multiplier where it is to the left. */
static int32_t scale_of(uint32_t total, int32_t *shift, const ember_attention_params *p)
{
    *shift = 0;
    if (total == 0)
        return 0;
    const int32_t leading = ember_clz32(total);
    const uint32_t inverse = p->c_out / ((total << leading) >> 16);
    const int32_t left = leading - 8 + (p->shift_out < 0 ? p->shift_out : 0);
    *shift = left < 0 ? -left : 0;
    return (int32_t)(inverse << ((p->shift_out > 0 ? p->shift_out : 0) + (left > 0 ? left : 0)));
}

static void two_rows(const int8_t *q, uint8_t *y, int32_t step, const layout *at, const ember_attention_params *p,
                     int32_t size)
{
    ember_pair_block block;
    uint32_t total[2];
    block.rows_end = ember_pair_rows(q, q + step * p->q_stride, p->head_dim, at->rows);
    block.rows = at->rows;
    block.columns = at->k;
    block.columns_end = at->v;
    block.m0 = block.m1 = p->m_score;
    block.zero_point = 32768;
    block.y = at->scores;
    ember_pair_enter(&block, at->dim, EMBER_PAIR_SCORE);
    ember_pair_2x2(&block);

    ember_attention_exp(at->scores, at->is_masked ? at->masks : NULL, at->keys, p->table, p->table_size, total);

    block.rows = (int32_t *)at->scores;
    block.rows_end = block.rows + at->keys;
    block.columns = at->v;
    block.columns_end = (int32_t *)at->scores;
    block.m0 = scale_of(total[0], &block.shift0, p);
    block.m1 = scale_of(total[1], &block.shift1, p);
    block.zero_point = p->zero_point;
    block.y = y;
    block.stride = step * p->heads * p->head_dim * size;
    const uint32_t shifted = (block.shift0 | block.shift1) != 0;
    ember_pair_enter(&block, at->keys, (shifted ? EMBER_PAIR_SHIFT_S8 : EMBER_PAIR_S8) + (uint32_t)(size == 2));
    ember_pair_2x2(&block);
}

void ember_attention_heads(const int8_t *q, const int8_t *k, const int8_t *v, const uint8_t *mask, uint8_t *y,
                           int32_t *scratch, const ember_attention_params *p, int32_t size)
{
    const layout at = layout_of(scratch, p, mask);
    const int32_t by_row = p->causal || (mask != NULL && p->mask_row != 0);
    const int32_t step = p->q_rows > 1 ? 1 : 0;
    for (int32_t b = 0; b < p->batches; b++) {
        const uint8_t *allowed = mask != NULL ? mask + b * p->mask_batch : NULL;
        if (at.is_masked && !by_row)
            build_masks(allowed, 0, 0, &at, p);
        for (int32_t h = 0; h < p->heads; h++) {
            if (h % p->group == 0) {
                const int32_t shared = h / p->group * p->head_dim;
                pack_keys(k + b * p->kv_rows * p->k_stride + p->k_offset + shared, &at, p);
                ember_attention_pack_values(v + b * p->kv_rows * p->v_stride + p->v_offset + shared, p->v_stride,
                                            p->kv_rows, p->head_dim, at.v);
            }
            for (int32_t i = 0; i < p->q_rows; i += 2) {
                const int32_t row = i + step < p->q_rows ? i : p->q_rows - 1 - step;
                const int32_t at_row = b * p->q_rows + row;
                if (by_row)
                    build_masks(allowed, row, step, &at, p);
                two_rows(q + at_row * p->q_stride + p->q_offset + h * p->head_dim,
                         y + (at_row * p->heads + h) * p->head_dim * size, step, &at, p, size);
            }
        }
    }
}
