/* What the two packed q.embed kernels share: the ids' check, and the sums of a few columns of one row.
 *
 * Private to the portable kernels. Sums fit 32 bits, as the compiler proved.
 */
#ifndef EMBER_PACKED_EMBED_ROW_H
#define EMBER_PACKED_EMBED_ROW_H

#include <stddef.h>

#include "ember.h"
#include "ember_math.h"
#include "ember_packed.h"
#include "ember_unpack.h"

/* EMBER_OK, or EMBER_ERR_RANGE for an id outside its table. */
static inline int ember_packed_embed_check(const int32_t *const *ids, const ember_packed_embed_params *p)
{
    for (int32_t k = 0; k < p->count; k++)
        for (int32_t r = 0; ids[k] != NULL && r < p->rows; r++)
            if (ids[k][r] < 0 || ids[k][r] >= p->parts[k].vocabulary)
                return EMBER_ERR_RANGE;
    return EMBER_OK;
}

/* sums[i] of row r, column c + i, before their shift, i < used <= EMBER_PACKED_COLUMNS; c is a multiple of 8. */
static inline void ember_packed_embed_sums(const int32_t *const *ids, int32_t r, int32_t c, int32_t used, int32_t *sums,
                                           const ember_packed_embed_params *p)
{
    const int32_t *before = p->bias + c;
    for (int32_t k = 0; k < p->count; k++) {
        const ember_packed_embed_part *part = &p->parts[k];
        const int32_t row = ids[k] != NULL ? ids[k][r] : r % part->vocabulary;
        const int32_t step = part->m_step;
        const int32_t *m = part->m + c * step;
        int8_t unpacked[EMBER_PACKED_COLUMNS];
        const int8_t *entries = unpacked;
        if (part->packed != NULL)
            ember_unpack(part->packed, row, c, used, unpacked);
        else
            entries = part->table + row * p->d + c;
        for (int32_t i = 0; i < used; i++) {
            sums[i] = before[i] + entries[i] * *m;
            m += step;
        }
        before = sums;
    }
}

#endif
