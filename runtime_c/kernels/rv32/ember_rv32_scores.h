/* Scores and weights of four query rows of a head: the first half of q.attention, see ember_rv32_attention.h.
 *
 * Private to the rv32 kernels. The compiler proved that a score may be doubled, by which the kernel rounds it.
 */
#ifndef EMBER_RV32_SCORES_H
#define EMBER_RV32_SCORES_H

#include "ember_attention_row.h"
#include "ember_rv32_pairs.h"

/* Query rows that run together; scratch holds their panel, then their scores and weights, [key][row]. */
enum { EMBER_RV32_QUERIES = 4 };

/* Two words for every element of the head: rows 0 and 1, rows 2 and 3; zeros behind an odd head_dim. */
EMBER_RV32_INLINE void ember_rv32_queries(int32_t *panel, const ember_attention_view *at, int32_t head_dim)
{
    const int8_t *const q0 = at[0].q, *const q1 = at[1].q, *const q2 = at[2].q, *const q3 = at[3].q;
    for (int32_t i = 0; i < head_dim; i++) {
        *panel++ = ember_rv32_join(q0[i], q1[i]);
        *panel++ = ember_rv32_join(q2[i], q3[i]);
    }
    panel[0] = 0;
    panel[1] = 0;
}

/* One step of two elements for four queries and two keys. */
EMBER_RV32_INLINE void ember_rv32_query_unit(ember_rv32_pair *s, const int32_t *panel, const int8_t *k0,
                                             const int8_t *k1)
{
    ember_rv32_step(&s[0], panel[0], k0[0], panel[2], k0[1]);
    ember_rv32_step(&s[1], panel[1], k0[0], panel[3], k0[1]);
    ember_rv32_step(&s[2], panel[0], k1[0], panel[2], k1[1]);
    ember_rv32_step(&s[3], panel[1], k1[0], panel[3], k1[1]);
}

/* The products of four queries and two keys, [key][row]. */
EMBER_RV32_INLINE void ember_rv32_products(int32_t *out, const int32_t *panel, const int8_t *k0, const int8_t *k1,
                                           int32_t head_dim)
{
    ember_rv32_pair s[4];
    s[0] = s[1] = s[2] = s[3] = ember_rv32_start(0, (head_dim + 1) / 2);
    const int32_t *const end = panel + 2 * (head_dim & ~1);
    const int32_t *const whole = panel + 2 * (head_dim & ~3);
    while (panel != whole) {
        ember_rv32_query_unit(s, panel, k0, k1);
        ember_rv32_query_unit(s, panel + 4, k0 + 2, k1 + 2);
        panel += 8;
        k0 += 4;
        k1 += 4;
    }
    if (panel != end) {
        ember_rv32_query_unit(s, panel, k0, k1);
        panel += 4;
        k0 += 2;
        k1 += 2;
    }
    if (head_dim % 2 != 0) {
        const int8_t last0[2] = {*k0, 0}, last1[2] = {*k1, 0};
        ember_rv32_query_unit(s, panel, last0, last1);
    }
    EMBER_RV32_UNROLLED
    for (int32_t i = 0; i < 4; i++) {
        out[2 * i] = ember_rv32_low(s[i]);
        out[2 * i + 1] = ember_rv32_high(s[i]);
    }
}

/* scores [key][row] of `keys` keys; one more may be written. */
EMBER_RV32_INLINE void ember_rv32_scores(int16_t *scores, const int32_t *panel, const int8_t *k, int32_t keys,
                                         const ember_attention_params *p)
{
    const int32_t shift = p->shift_score + 1, m = p->m_score;
    for (int32_t j = 0; j < keys; j += 2) {
        int32_t products[2 * EMBER_RV32_QUERIES];
        ember_rv32_products(products, panel, k, j + 1 < keys ? k + p->k_stride : k, p->head_dim);
        EMBER_RV32_UNROLLED
        for (int32_t i = 0; i < 2 * EMBER_RV32_QUERIES; i++)
            *scores++ = ember_clamp_s16(ember_rv32_scale(ember_shift_left(products[i], shift), m, 1));
        k += 2 * p->k_stride;
    }
}

/* The scores of `rows` rows that see the same keys become weights: table[max s - s[j]], or 0 for a key that the rows
 * may not look at. */
EMBER_RV32_INLINE void ember_rv32_weights(int16_t *scores, uint32_t *totals, int32_t rows,
                                          const ember_attention_view *at, int32_t keys, const ember_attention_params *p)
{
    const uint8_t *const mask = at->mask;
    const int16_t *const table = p->table;
    const int32_t last = p->table_size - 1, seen = at->keys;
    int32_t largest[EMBER_RV32_QUERIES] = {INT16_MIN, INT16_MIN, INT16_MIN, INT16_MIN};
    uint32_t total[EMBER_RV32_QUERIES] = {0, 0, 0, 0};
    const int16_t *score = scores;
    for (int32_t j = 0; j < seen; j++) {
        if (mask == NULL || mask[j] != 0) {
            EMBER_RV32_UNROLLED
            for (int32_t r = 0; r < rows; r++) {
                if (score[r] > largest[r])
                    largest[r] = score[r];
            }
        }
        score += EMBER_RV32_QUERIES;
    }
    for (int32_t j = 0; j < keys; j++) {
        const int allowed = j < seen && (mask == NULL || mask[j] != 0);
        EMBER_RV32_UNROLLED
        for (int32_t r = 0; r < rows; r++) {
            const int32_t e = allowed ? table[ember_min(largest[r] - scores[r], last)] : 0;
            scores[r] = (int16_t)e;
            total[r] += (uint32_t)e;
        }
        scores += EMBER_RV32_QUERIES;
    }
    EMBER_RV32_UNROLLED
    for (int32_t r = 0; r < rows; r++)
        totals[r] = total[r];
}

#endif
