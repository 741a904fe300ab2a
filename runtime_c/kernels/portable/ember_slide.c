/* q.slide: rows of any element type. */
#include <stddef.h>
#include <string.h>

#include "ember_stream.h"

void ember_slide(const void *x, const void *rows, void *y, const ember_slide_params *p)
{
    const size_t moved = (size_t)p->moved, bytes = (size_t)p->bytes;
    const uint8_t *old = x, *from = rows;
    uint8_t *to = y;
    for (int32_t o = 0; o < p->outer; o++) {
        memmove(to, old + bytes, moved);
        memcpy(to + moved, from, bytes);
        old += moved + bytes;
        to += moved + bytes;
        from += bytes;
    }
}
