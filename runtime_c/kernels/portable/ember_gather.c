/* q.gather: blocks of x named by ids; any id, one outside the axis stops the kernel with EMBER_ERR_RANGE. */
#include <string.h>

#include "ember.h"
#include "ember_movement.h"

int ember_gather(const void *x, const int32_t *ids, void *y, const ember_gather_params *restrict p)
{
    const uint8_t *from = x;
    uint8_t *to = y;
    for (int32_t o = 0; o < p->outer; o++) {
        for (int32_t i = 0; i < p->count; i++) {
            const int32_t id = ids[i] < 0 ? ids[i] + p->length : ids[i];
            if (id < 0 || id >= p->length)
                return EMBER_ERR_RANGE;
            memcpy(to, from + id * p->block, (size_t)p->block);
            to += p->block;
        }
        from += p->length * p->block;
    }
    return EMBER_OK;
}
