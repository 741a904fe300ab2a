/* q.embed, int16 y, on packed tables: a few columns of a table's row are unpacked into registers and stack, no row whole.
 *
 * ids of any value: one outside its table stops the kernel with EMBER_ERR_RANGE.
 */
#include "ember_packed_embed_row.h"

int ember_packed_embed_s16(const int32_t *const *ids, int16_t *y, const ember_packed_embed_params *restrict p)
{
    const int status = ember_packed_embed_check(ids, p);
    if (status != EMBER_OK)
        return status;
    for (int32_t r = 0; r < p->rows; r++) {
        for (int32_t c = 0; c < p->d; c += EMBER_PACKED_COLUMNS) {
            const int32_t used = ember_min(EMBER_PACKED_COLUMNS, p->d - c);
            int32_t sums[EMBER_PACKED_COLUMNS];
            ember_packed_embed_sums(ids, r, c, used, sums, p);
            for (int32_t i = 0; i < used; i++)
                *y++ = ember_clamp_s16(sums[i] >> p->frac);
        }
    }
    return EMBER_OK;
}
