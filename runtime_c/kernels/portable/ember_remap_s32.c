/* q.remap: the rank of ids among those that are kept; any id, one outside the vocabulary stops the kernel with
 * EMBER_ERR_RANGE.
 */
#include "ember.h"
#include "ember_index.h"

static int32_t bits_set(uint32_t v)
{
    int32_t n = 0;
    for (; v != 0; v &= v - 1)
        n++;
    return n;
}

int ember_remap_s32(const int32_t *ids, int32_t *y, const ember_remap_params *restrict p)
{
    for (int32_t i = 0; i < p->count; i++) {
        const int32_t id = ids[i];
        if (id < 0 || id >= p->vocabulary)
            return EMBER_ERR_RANGE;
        const uint32_t word = p->bits[id / 32];
        const uint32_t bit = (uint32_t)1 << (id % 32);
        y[i] = (word & bit) != 0 ? p->counts[id / 32] + bits_set(word & (bit - 1)) : p->other;
    }
    return EMBER_OK;
}
