/* K and V of a head in the blocks of ember_mve_block.h, biases being 0.
 *
 * K: columns are keys, vectors are copied; V: columns are channels, eight keys at a time by gather. What pads keys or
 * channels keeps any bytes: their results are not read, or are weighted by 0.
 * Per element: K 0.25 and 10 a row, V 0.6.
 */
#include "ember_mve_attention.h"

#if EMBER_HAS_MVE

#include <arm_mve.h>

static void clear_biases(int8_t *block, int32_t blocks, int32_t bytes)
{
    for (; blocks > 0; blocks--, block += bytes)
        vstrbq_s8(block, vdupq_n_s8(0));
}

static void pack_row(const int8_t *from, int8_t *body, int8_t *tail, int32_t n)
{
    for (; n >= 16; n -= 16, from += 16, body += 64)
        vstrbq_s8(body, vldrbq_s8(from));
    if (n > 0) {
        const mve_pred16_t inside = vctp8q((uint32_t)n);
        vstrbq_p_s8(tail, vldrbq_z_s8(from, inside), inside);
    }
}

static void pack_channel(const int8_t *from, int8_t *to, int32_t n, int32_t stride)
{
    const uint16x8_t rows = vmulq_n_u16(vidupq_n_u16(0, 1), (uint16_t)stride);
    for (; n >= 8; n -= 8, from += 8 * stride, to += 32)
        vstrbq_s16(to, vldrbq_gather_offset_s16(from, rows));
    if (n > 0)
        vstrbq_s16(to, vldrbq_gather_offset_z_s16(from, rows, vctp16q((uint32_t)n)));
}

void ember_mve_pack_kv(const ember_mve_attention *at)
{
    const ember_attention_params *p = at->p;
    const int32_t d = p->head_dim;
    const int32_t whole = d & ~15;
    const int32_t from = at->head / p->group * d;
    const int8_t *k = at->k + at->batch * p->kv_rows * p->k_stride + p->k_offset + from;
    const int8_t *v = at->v + at->batch * p->kv_rows * p->v_stride + p->v_offset + from;
    const int32_t key_block = 16 + 4 * d;
    const int32_t value_block = 16 + 4 * at->padded;
    clear_biases(at->keys, at->padded >> 2, key_block);
    clear_biases(at->values, (d + 3) >> 2, value_block);
    for (int32_t j = 0; j < p->kv_rows; j++, k += p->k_stride) {
        int8_t *block = at->keys + ((j >> 3) * 2 + (j & 1)) * key_block + 16;
        const int32_t column = (j >> 1) & 3;
        pack_row(k, block + column * 16, block + 4 * whole + column * (d - whole), d);
    }
    for (int32_t place = 0; place < d; place++) {
        int8_t *block = at->values + (place >> 2) * value_block + 16;
        pack_channel(v + ember_mve_place(place, d), block + (place & 3) * 8, p->kv_rows, p->v_stride);
    }
}

#endif
