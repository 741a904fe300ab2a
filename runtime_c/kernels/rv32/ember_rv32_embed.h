/* q.embed on RV32IM: eight columns of a row at a time, their sums in registers through all tables.
 *
 * Idea: a row of the result first looks up where its rows of the tables begin, then every eight columns take one load of
 * the bias and, of each table, an entry, its multiplier, a multiplication and a sum.
 * Per element of two tables: 1 + 2 * 4, shift, clamp 2, store, and (2 * 3 + 5) / 8 of the loops = 14.4, and about
 * 80 a row; measured at 64 x 128: 16.8.
 * Preconditions: at most EMBER_RV32_PARTS tables, each with a multiplier a column.
 *
 * Private to the rv32 kernels.
 */
#ifndef EMBER_RV32_EMBED_H
#define EMBER_RV32_EMBED_H

#include "ember_embed_row.h"
#include "ember_rv32_rows.h"

enum { EMBER_RV32_PARTS = 4 };

/* One element: the tail's. */
EMBER_RV32_INLINE int32_t ember_rv32_embed1(const int8_t *const *entries, int32_t c, const ember_embed_params *p)
{
    int32_t sum = p->bias[c];
    for (int32_t k = 0; k < p->count; k++)
        sum += entries[k][c] * p->parts[k].m[c];
    return sum >> p->frac;
}

EMBER_RV32_INLINE int ember_rv32_embed(const int32_t *const *ids, void *y, int wide, const ember_embed_params *p)
{
    const int status = ember_embed_check(ids, p);
    if (status != EMBER_OK)
        return status;
    const int32_t d = p->d, count = p->count, frac = p->frac;
    const int32_t *const bias = p->bias;
    for (int32_t r = 0; r < p->rows; r++) {
        const int8_t *entries[EMBER_RV32_PARTS] = {0};
        const int32_t *m[EMBER_RV32_PARTS] = {0};
        for (int32_t k = 0; k < count; k++) {
            entries[k] = p->parts[k].table + (ids[k] != NULL ? ids[k][r] : r % p->parts[k].vocabulary) * d;
            m[k] = p->parts[k].m;
        }
        int32_t c = 0;
        for (; c + EMBER_RV32_TURN <= d; c += EMBER_RV32_TURN) {
            int32_t sums[EMBER_RV32_TURN];
            EMBER_RV32_UNROLLED
            for (int32_t i = 0; i < EMBER_RV32_TURN; i++)
                sums[i] = bias[c + i];
            for (int32_t k = 0; k < count; k++) {
                const int8_t *e = entries[k] + c;
                const int32_t *by = m[k] + c;
                EMBER_RV32_WHOLE_WORD(e);
                EMBER_RV32_WHOLE_WORD(by);
                EMBER_RV32_UNROLLED
                for (int32_t i = 0; i < EMBER_RV32_TURN; i++)
                    sums[i] += e[i] * by[i];
            }
            EMBER_RV32_UNROLLED
            for (int32_t i = 0; i < EMBER_RV32_TURN; i++)
                ember_rv32_put(y, wide, c + i, sums[i] >> frac);
        }
        for (; c < d; c++)
            ember_rv32_put(y, wide, c, ember_rv32_embed1(entries, c, p));
        y = ember_rv32_moved(y, wide, d);
    }
    return EMBER_OK;
}

#endif
