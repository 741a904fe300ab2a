/* q.embed, int16 y, at most four tables: see ember_mve_embed.h. Measured at 64 x 128, two tables: 7.12 an element.
 *
 * ids of any value: one outside its table stops the kernel with EMBER_ERR_RANGE.
 */
#include "ember_mve.h"

#if EMBER_HAS_MVE

#include "ember_mve_embed.h"

int ember_embed_s16_mve(const int32_t *const *ids, int16_t *y, const ember_embed_params *restrict p)
{
    return ember_mve_embed(ids, (int8_t *)y, 2, p);
}

#else

int ember_embed_s16_mve(const int32_t *const *ids, int16_t *y, const ember_embed_params *restrict p)
{
    return ember_embed_s16(ids, y, p);
}

#endif
