/* The walk of q.attention over heads and pairs of rows, and the softmax of a pair. See ember_mve_attention.h.
 *
 * The file that includes this says what depends on the type of q, k and v: BITS, those of an element; pack_kv, which
 * packs a head; sum_scores, which makes the sums of `padded` scores of both rows, and sum_values, those of the outputs
 * from as many weights.
 * Per score: 9 / 8 instructions for the first pass, 6 / 8 for the second, and their loops.
 *
 * Private to the Helium kernels.
 */
#ifndef EMBER_MVE_ATTEND_H
#define EMBER_MVE_ATTEND_H

#include <stddef.h>

#include "ember_mve_attention.h"
#include "ember_mve_narrow.h"

/* Eight scores of one row from the sums of two blocks. */
static inline int16x8_t scores(const int32_t *sums, int32x4_t m)
{
    const int32x4_t even = vrmulhq_s32(vldrwq_s32(sums), m);
    const int32x4_t odd = vrmulhq_s32(vldrwq_s32(sums + 8), m);
    return vqmovntq_s32(vqmovnbq_s32(vuninitializedq_s16(), even), odd);
}

/* The keys of a vector that count: `left` of them at most, and those that the mask allows. */
static inline mve_pred16_t allowed(const uint8_t *mask, int32_t left)
{
    const mve_pred16_t inside = vctp16q((uint32_t)left);
    return mask == NULL ? inside : vcmpneq_m_n_u16(vldrbq_z_u16(mask, inside), 0, inside);
}

/* Requantizes `keys` scores of a row to s and returns the largest. */
static int32_t score_row(const int32_t *sums, const uint8_t *mask, int16_t *s, int32_t keys, int32_t factor)
{
    const int32x4_t m = vdupq_n_s32(factor);
    int32_t largest = INT16_MIN;
    if (mask == NULL) {
        __asm__ volatile("wls lr, %[groups], 2f\n"
                         "1:\tvldrw.32 q0, [%[sums]], #32\n\t"
                         "vldrw.32 q1, [%[sums]], #32\n\t"
                         "vrmulh.s32 q0, q0, %q[m]\n\t"
                         "vrmulh.s32 q1, q1, %q[m]\n\t"
                         "vqmovnb.s32 q0, q0\n\t"
                         "vqmovnt.s32 q0, q1\n\t"
                         "vstrh.16 q0, [%[s]], #16\n\t"
                         "vmaxv.s16 %[largest], q0\n\t"
                         "le lr, 1b\n"
                         "2:"
                         : [sums] "+r"(sums), [s] "+r"(s), [largest] "+r"(largest)
                         : [groups] "r"(keys >> 3), [m] "w"(m)
                         : "q0", "q1", "lr", "memory");
        keys &= 7;
    }
    for (; keys > 0; keys -= 8, sums += 16, s += 8) {
        const int16x8_t v = scores(sums, m);
        vstrhq_s16(s, v);
        largest = vmaxvq_p_s16((int16_t)largest, v, allowed(mask, keys));
        if (mask != NULL)
            mask += 8;
    }
    return largest;
}

/* Replaces `keys` scores by their weights, the keys from there to `padded` by 0; returns the total. */
static uint32_t weigh_row(int16_t *s, const uint8_t *mask, int32_t largest, int32_t keys, int32_t padded,
                          const ember_attention_params *p)
{
    const uint16x8_t top = vdupq_n_u16((uint16_t)largest);
    const uint16x8_t most = vdupq_n_u16((uint16_t)(p->table_size - 1));
    const int16_t *const end = s + padded;
    int32_t total = 0;
    if (mask == NULL) {
        __asm__ volatile("wls lr, %[groups], 2f\n"
                         "1:\tvldrh.16 q0, [%[s]]\n\t"
                         "vsub.i16 q0, %q[top], q0\n\t"
                         "vmin.u16 q0, q0, %q[most]\n\t"
                         "vldrh.16 q1, [%[table], q0, uxtw #1]\n\t"
                         "vaddva.s16 %[total], q1\n\t"
                         "vstrh.16 q1, [%[s]], #16\n\t"
                         "le lr, 1b\n"
                         "2:"
                         : [s] "+r"(s), [total] "+Te"(total)
                         : [groups] "r"(keys >> 3), [top] "w"(top), [most] "w"(most), [table] "r"(p->table)
                         : "q0", "q1", "lr", "memory");
        keys &= 7;
    }
    for (; keys > 0; keys -= 8, s += 8) {
        const uint16x8_t behind = vminq_u16(vsubq_u16(top, vldrhq_u16((const uint16_t *)s)), most);
        const int16x8_t e = vldrhq_gather_shifted_offset_z_s16(p->table, behind, allowed(mask, keys));
        vstrhq_s16(s, e);
        total = vaddvaq_s16(total, e);
        if (mask != NULL)
            mask += 8;
    }
    for (; s < end; s += 8)
        vstrhq_s16(s, vdupq_n_s16(0));
    return (uint32_t)total;
}

/* How a row's weighted sums become outputs: one division a row. A total of 0 gives the zero point. */
static void set_scale(ember_mve_attention *at, int32_t r, uint32_t total)
{
    const ember_attention_params *p = at->p;
    at->m[r] = 0;
    at->shift[r] = 0;
    if (total != 0) {
        const int32_t leading = ember_clz32(total);
        const uint32_t inverse = p->c_out / ((total << leading) >> 16);
        at->m[r] = (int32_t)(inverse << (p->shift_out > 0 ? p->shift_out : 0));
        at->shift[r] = leading - BITS + (p->shift_out < 0 ? p->shift_out : 0);
    }
}

/* Keys that query row i sees. */
static int32_t keys_of(int32_t i, const ember_attention_params *p)
{
    const int32_t seen = p->causal ? ember_min(p->kv_rows, i + p->kv_rows - p->q_rows + 1) : p->kv_rows;
    return seen > 0 ? seen : 0;
}

/* The next rows' place; 0 after the last ones. A head's keys and values are packed for all query heads of its group. */
static int advance(ember_mve_attention *at)
{
    const ember_attention_params *p = at->p;
    const int first = at->rows == 0;
    at->row += at->rows;
    if (at->row == p->q_rows) {
        at->row = 0;
        if (++at->head == p->heads) {
            at->head = 0;
            at->batch++;
        }
    }
    if (at->batch == p->batches)
        return 0;
    if ((first || at->row == 0) && at->head % p->group == 0)
        pack_kv(at);
    at->rows = ember_min(2, p->q_rows - at->row);
    return 1;
}

/* Moves on to the next rows of a head: their sums, m and shift; 0 after the last ones. */
static int attend(ember_mve_attention *at)
{
    const ember_attention_params *p = at->p;
    int32_t padded;
    if (!advance(at))
        return 0;
    padded = (keys_of(at->row + at->rows - 1, p) + 7) & ~7;
    if (padded != 0)
        sum_scores(at, padded);
    for (int32_t r = 0; r < at->rows; r++) {
        const int32_t i = at->row + r;
        const int32_t keys = keys_of(i, p);
        const uint8_t *mask = at->mask == NULL ? NULL : at->mask + at->batch * p->mask_batch + i * p->mask_row;
        int16_t *s = at->weights + r * at->padded;
        const int32_t largest = score_row(at->sums + 4 * r, mask, s, keys, p->m_score);
        set_scale(at, r, weigh_row(s, mask, largest, keys, padded, p));
    }
    sum_values(at, padded);
    return 1;
}

#endif
