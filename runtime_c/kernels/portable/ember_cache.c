/* q.cache: rows of any element type. */
#include <stddef.h>
#include <string.h>

#include "ember.h"
#include "ember_stream.h"

int ember_cache(const void *x, const void *rows, const int32_t *position, void *y, const ember_cache_params *p)
{
    const int32_t first = *position;
    const size_t whole = (size_t)p->capacity * (size_t)p->bytes, part = (size_t)p->count * (size_t)p->bytes;
    const uint8_t *from = rows;
    uint8_t *to = y;
    if (first < 0 || first > p->capacity - p->count)
        return EMBER_ERR_RANGE;
    if (x != y)
        memcpy(y, x, whole * (size_t)p->batches);
    to += (size_t)first * (size_t)p->bytes;
    for (int32_t b = 0; b < p->batches; b++) {
        memcpy(to, from, part);
        from += part;
        to += whole;
    }
    return EMBER_OK;
}
