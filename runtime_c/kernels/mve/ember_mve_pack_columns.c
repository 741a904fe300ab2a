/* The right operand of q.batch_matmul in the blocks of ember_mve_block.h, with its zero points in the biases.
 *
 * Columns that lie side by side in b's memory are copied, others gathered by eights; VADDVA adds a column up on the way.
 * What pads the last block keeps any bytes: its results are not stored.
 * Per element: 4 / 16 copied, 7 / 16 gathered (unit 8: 4 / 8 and 4 / 8), and about 40 a column.
 */
#include "ember_mve_batch_matmul.h"

#if EMBER_HAS_MVE

#include <arm_mve.h>

/* A place in the packed blocks: where a column's vectors begin, and its last k % unit elements. */
typedef struct {
    int8_t *body;
    int8_t *tail;
} place;

/* k elements side by side; returns their sum. */
static int32_t copy_column(const int8_t *b, int32_t k, int32_t unit, place to)
{
    int32_t sum = 0;
    if (unit == 16) {
        for (; k >= 16; k -= 16, b += 16, to.body += 64) {
            const int8x16_t v = vldrbq_s8(b);
            sum = vaddvaq_s8(sum, v);
            vstrbq_s8(to.body, v);
        }
        if (k > 0) {
            const mve_pred16_t inside = vctp8q((uint32_t)k);
            const int8x16_t v = vldrbq_z_s8(b, inside);
            sum = vaddvaq_s8(sum, v);
            vstrbq_p_s8(to.tail, v, inside);
        }
        return sum;
    }
    for (; k >= 8; k -= 8, b += 8, to.body += 32) {
        const int16x8_t v = vldrbq_s16(b);
        sum = vaddvaq_s16(sum, v);
        vstrbq_s16(to.body, v);
    }
    if (k > 0) {
        const mve_pred16_t inside = vctp16q((uint32_t)k);
        const int16x8_t v = vldrbq_z_s16(b, inside);
        sum = vaddvaq_s16(sum, v);
        vstrbq_p_s16(to.tail, v, inside);
    }
    return sum;
}

/* k elements `stride` apart; `at` are the offsets of eight of them. */
static int32_t gather_column(const int8_t *b, int32_t stride, uint16x8_t at, int32_t k, int32_t unit, place to)
{
    int32_t sum = 0;
    for (; k >= unit; k -= unit, to.body += 4 * unit) {
        for (int32_t i = 0; i < unit; i += 8, b += 8 * stride) {
            const int16x8_t v = vldrbq_gather_offset_s16(b, at);
            sum = vaddvaq_s16(sum, v);
            vstrbq_s16(to.body + i, v);
        }
    }
    for (; k > 0; k -= 8, b += 8 * stride, to.tail += 8) {
        const mve_pred16_t inside = vctp16q((uint32_t)k);
        const int16x8_t v = vldrbq_gather_offset_z_s16(b, at, inside);
        sum = vaddvaq_s16(sum, v);
        vstrbq_p_s16(to.tail, v, inside);
    }
    return sum;
}

void ember_mve_pack_columns(const int8_t *b, int32_t count, int32_t unit, int8_t *out,
                            const ember_batch_matmul_params *p)
{
    const int32_t left = p->k % unit;
    const uint16x8_t at = vmulq_n_u16(vidupq_n_u16(0, 1), (uint16_t)p->b_k);
    for (int32_t n = 0; n < count; n++, b += p->b_n) {
        const int32_t column = ember_mve_place(n, count);
        int8_t *const block = out + (column >> 2) * (16 + 4 * p->k);
        int8_t *const body = block + 16;
        const place to = {body + (column & 3) * unit, body + 4 * (p->k - left) + (column & 3) * left};
        const int32_t sum = p->b_k == 1 ? copy_column(b, p->k, unit, to) : gather_column(b, p->b_k, at, p->k, unit, to);
        ((int32_t *)(void *)block)[column & 3] = p->za * (p->k * p->zb - sum);
    }
}

#else

typedef char ember_mve_is_not_here; /* a file must hold something */

#endif
