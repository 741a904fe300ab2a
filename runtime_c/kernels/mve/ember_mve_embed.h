/* q.embed on Helium: sixteen columns of a row at a time, every table's part added to sums in vectors.
 *
 * VLDRB.S32 widens, VMLA adds a table's row times its factor (VMUL and VADD where the factor is a column's), and
 * VQMOVNB with a narrowing store leaves four elements in order. A row's addresses are found, and its ids checked, once.
 * Preconditions: at most EMBER_MVE_PARTS tables.
 * Per element, with two tables of one factor: 2.5 for the vectors; gcc 12 keeps some of them in memory, so 7 in all.
 *
 * Private to the Helium kernels.
 */
#ifndef EMBER_MVE_EMBED_H
#define EMBER_MVE_EMBED_H

#include <stddef.h>

#include "ember.h"
#include "ember_embed.h"
#include "ember_mve_rows.h"

enum { EMBER_MVE_PARTS = 4 };

/* The tables' rows for row r; 0 if an id is outside its table. */
static inline int ember_mve_embed_rows(const int32_t *const *ids, int32_t r, const int8_t *from[EMBER_MVE_PARTS],
                                       const ember_embed_params *p)
{
    for (int32_t k = 0; k < p->count; k++) {
        const ember_embed_part *part = &p->parts[k];
        const int32_t row = ids[k] != NULL ? ids[k][r] : r % part->vocabulary;
        if (row < 0 || row >= part->vocabulary)
            return 0;
        from[k] = part->table + row * p->d;
    }
    return 1;
}

/* Up to four saturated elements of `bytes` bytes. */
EMBER_MVE_INLINE void ember_mve_store4(int8_t *y, int bytes, int32x4_t v, mve_pred16_t inside)
{
    const int16x8_t half = vqmovnbq_s32(vreinterpretq_s16_s32(v), v);
    if (bytes == 2)
        vstrhq_p_s32((int16_t *)(void *)y, vreinterpretq_s32_s16(half), inside);
    else
        vstrbq_p_s32(y, vreinterpretq_s32_s8(vqmovnbq_s16(vreinterpretq_s8_s16(half), half)), inside);
}

EMBER_MVE_INLINE void ember_mve_store_four(int8_t *y, int bytes, int32x4_t v)
{
    const int16x8_t half = vqmovnbq_s32(vreinterpretq_s16_s32(v), v);
    if (bytes == 2)
        vstrhq_s32((int16_t *)(void *)y, vreinterpretq_s32_s16(half));
    else
        vstrbq_s32(y, vreinterpretq_s32_s8(vqmovnbq_s16(vreinterpretq_s8_s16(half), half)));
}

EMBER_MVE_INLINE void ember_mve_embed16(const int8_t *const *from, int32_t c, int8_t *y, int bytes,
                                        const ember_embed_params *p)
{
    const int32_t shift = -p->frac;
    int32x4_t a0 = vldrwq_s32(p->bias + c), a1 = vldrwq_s32(p->bias + c + 4);
    int32x4_t a2 = vldrwq_s32(p->bias + c + 8), a3 = vldrwq_s32(p->bias + c + 12);
    for (int32_t k = 0; k < p->count; k++) {
        const int8_t *row = from[k] + c;
        const ember_embed_part *part = &p->parts[k];
        const int32_t *m = part->m;
        if (part->m_step == 0) {
            const int32_t factor = *m;
            a0 = vmlaq_n_s32(a0, vldrbq_s32(row), factor);
            a1 = vmlaq_n_s32(a1, vldrbq_s32(row + 4), factor);
            a2 = vmlaq_n_s32(a2, vldrbq_s32(row + 8), factor);
            a3 = vmlaq_n_s32(a3, vldrbq_s32(row + 12), factor);
        } else {
            m += c;
            a0 = vaddq_s32(a0, vmulq_s32(vldrbq_s32(row), vldrwq_s32(m)));
            a1 = vaddq_s32(a1, vmulq_s32(vldrbq_s32(row + 4), vldrwq_s32(m + 4)));
            a2 = vaddq_s32(a2, vmulq_s32(vldrbq_s32(row + 8), vldrwq_s32(m + 8)));
            a3 = vaddq_s32(a3, vmulq_s32(vldrbq_s32(row + 12), vldrwq_s32(m + 12)));
        }
    }
    ember_mve_store_four(y, bytes, vshlq_r_s32(a0, shift));
    ember_mve_store_four(y + 4 * bytes, bytes, vshlq_r_s32(a1, shift));
    ember_mve_store_four(y + 8 * bytes, bytes, vshlq_r_s32(a2, shift));
    ember_mve_store_four(y + 12 * bytes, bytes, vshlq_r_s32(a3, shift));
}

EMBER_MVE_INLINE int ember_mve_embed(const int32_t *const *ids, int8_t *y, int bytes, const ember_embed_params *p)
{
    for (int32_t r = 0; r < p->rows; r++, y += p->d * bytes) {
        const int8_t *from[EMBER_MVE_PARTS];
        int32_t c = 0;
        if (!ember_mve_embed_rows(ids, r, from, p))
            return EMBER_ERR_RANGE;
        for (; c + 16 <= p->d; c += 16)
            ember_mve_embed16(from, c, y + c * bytes, bytes, p);
        for (; c < p->d; c += 4) {
            const mve_pred16_t inside = vctp32q((uint32_t)(p->d - c));
            int32x4_t sum = vldrwq_z_s32(p->bias + c, inside);
            for (int32_t k = 0; k < p->count; k++) {
                const ember_embed_part *part = &p->parts[k];
                const int32_t *m = part->m + c * part->m_step;
                const int32x4_t factor = part->m_step ? vldrwq_z_s32(m, inside) : vdupq_n_s32(*m);
                sum = vaddq_s32(sum, vmulq_s32(vldrbq_z_s32(from[k] + c, inside), factor));
            }
            ember_mve_store4(y + c * bytes, bytes, vshlq_r_s32(sum, -p->frac), inside);
        }
    }
    return EMBER_OK;
}

#endif
