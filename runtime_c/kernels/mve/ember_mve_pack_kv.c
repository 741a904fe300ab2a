/* K and V of a head in the blocks of ember_mve_block.h, biases being 0.
 *
 * K: columns are keys, vectors are copied; V: columns are channels, four of them and eight keys at a
 * time by gather. What pads keys or
 * channels keeps any bytes: their results are not read, or are weighted by 0.
 * Per element: K 0.2 and 30 a row, V 10 / 32 and 15 a block.
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

/* Four channels of a block, `step` apart, by eight keys at a time. */
static void pack_block(const int8_t *from, int32_t step, int8_t *to, int32_t n, int32_t stride)
{
    const uint16x8_t first = vmulq_n_u16(vidupq_n_u16(0, 1), (uint16_t)stride);
    const uint16x8_t second = vaddq_n_u16(first, (uint16_t)step);
    const uint16x8_t third = vaddq_n_u16(second, (uint16_t)step);
    const uint16x8_t fourth = vaddq_n_u16(third, (uint16_t)step);
    for (; n >= 8; n -= 8, from += 8 * stride, to += 32) {
        vstrbq_s16(to, vldrbq_gather_offset_s16(from, first));
        vstrbq_s16(to + 8, vldrbq_gather_offset_s16(from, second));
        vstrbq_s16(to + 16, vldrbq_gather_offset_s16(from, third));
        vstrbq_s16(to + 24, vldrbq_gather_offset_s16(from, fourth));
    }
    if (n > 0) {
        const mve_pred16_t inside = vctp16q((uint32_t)n);
        vstrbq_s16(to, vldrbq_gather_offset_z_s16(from, first, inside));
        vstrbq_s16(to + 8, vldrbq_gather_offset_z_s16(from, second, inside));
        vstrbq_s16(to + 16, vldrbq_gather_offset_z_s16(from, third, inside));
        vstrbq_s16(to + 24, vldrbq_gather_offset_z_s16(from, fourth, inside));
    }
}

/* The last `channels` of a head, in order, a key at a time. */
static void pack_last(const int8_t *from, int32_t channels, int8_t *to, int32_t n, int32_t stride)
{
    if (channels >= 4) {
        pack_block(from, 1, to, n, stride);
        return;
    }
    for (int32_t j = 0; j < n; j++, from += stride)
        for (int32_t c = 0; c < channels; c++)
            to[(j >> 3) * 32 + c * 8 + (j & 7)] = from[c];
}

void ember_mve_pack_kv(const ember_mve_attention *at)
{
    const ember_attention_params *p = at->p;
    const int32_t d = p->head_dim;
    const int32_t whole = d & ~15;
    const int32_t from = at->head / p->group * d;
    const int8_t *k = (const int8_t *)at->k + at->batch * p->kv_rows * p->k_stride + p->k_offset + from;
    const int8_t *v = (const int8_t *)at->v + at->batch * p->kv_rows * p->v_stride + p->v_offset + from;
    const int32_t key_block = 16 + 4 * d;
    const int32_t value_block = 16 + 4 * at->padded;
    clear_biases(at->keys, at->padded >> 2, key_block);
    clear_biases(at->values, (d + 3) >> 2, value_block);
    for (int32_t j = 0; j < p->kv_rows; j++, k += p->k_stride) {
        int8_t *block = at->keys + ((j >> 3) * 2 + (j & 1)) * key_block + 16;
        const int32_t column = (j >> 1) & 3;
        pack_row(k, block + column * 16, block + 4 * whole + column * (d - whole), d);
    }
    for (int32_t place = 0; place < d; place += 4) {
        int8_t *block = at->values + (place >> 2) * value_block + 16;
        if (place < whole)
            pack_block(v + ember_mve_place(place, d), 4, block, p->kv_rows, p->v_stride);
        else
            pack_last(v + place, d - place, block, p->kv_rows, p->v_stride);
    }
}

#endif
