/* q.embed, int8 y: the tables' rows are added in 32 bits and rounded once.
 *
 * ids of any value: one outside its table stops the kernel with EMBER_ERR_RANGE. Sums fit, as the compiler proved.
 */
#include <stddef.h>

#include "ember.h"
#include "ember_embed.h"
#include "ember_math.h"

static int32_t element(const int32_t *const *ids, int32_t r, int32_t c, const ember_embed_params *p)
{
    int32_t acc = p->bias[c];
    for (int32_t k = 0; k < p->count; k++) {
        const ember_embed_part *part = &p->parts[k];
        const int32_t row = ids[k] != NULL ? ids[k][r] : r % part->vocabulary;
        acc += part->table[row * p->d + c] * part->m[c * part->m_step];
    }
    return acc >> p->frac;
}

int ember_embed_s8(const int32_t *const *ids, int8_t *y, const ember_embed_params *restrict p)
{
    for (int32_t k = 0; k < p->count; k++)
        for (int32_t r = 0; ids[k] != NULL && r < p->rows; r++)
            if (ids[k][r] < 0 || ids[k][r] >= p->parts[k].vocabulary)
                return EMBER_ERR_RANGE;
    for (int32_t r = 0; r < p->rows; r++)
        for (int32_t c = 0; c < p->d; c++)
            *y++ = ember_clamp_s8(element(ids, r, c, p));
    return EMBER_OK;
}
