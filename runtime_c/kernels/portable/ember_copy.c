/* A strided copy: q.slice, q.transpose, q.expand, and the parts of q.concat and q.pad. x and y do not overlap. */
#include <string.h>

#include "ember_movement.h"

enum { LAST = EMBER_COPY_DIMS - 1 };

static void copy_row(const void *x, int32_t from, void *y, int32_t to, const ember_copy_params *p)
{
    const int32_t n = p->dims[LAST];
    const int32_t xs = p->xs[LAST];
    const int32_t ys = p->ys[LAST];
    if (xs == 1 && ys == 1) {
        memcpy((uint8_t *)y + to * p->size, (const uint8_t *)x + from * p->size, (size_t)(n * p->size));
    } else if (p->size == 1) {
        for (int32_t i = 0; i < n; i++)
            ((uint8_t *)y)[to + i * ys] = ((const uint8_t *)x)[from + i * xs];
    } else if (p->size == 2) {
        for (int32_t i = 0; i < n; i++)
            ((uint16_t *)y)[to + i * ys] = ((const uint16_t *)x)[from + i * xs];
    } else {
        for (int32_t i = 0; i < n; i++)
            ((uint32_t *)y)[to + i * ys] = ((const uint32_t *)x)[from + i * xs];
    }
}

void ember_copy(const void *x, void *y, const ember_copy_params *restrict p)
{
    int32_t index[EMBER_COPY_DIMS] = {0};
    int32_t axis;
    do {
        int32_t from = p->x_offset;
        int32_t to = p->y_offset;
        for (axis = 0; axis < LAST; axis++) {
            from += index[axis] * p->xs[axis];
            to += index[axis] * p->ys[axis];
        }
        copy_row(x, from, y, to, p);
        axis = LAST - 1;
        while (axis >= 0 && ++index[axis] == p->dims[axis])
            index[axis--] = 0;
    } while (axis >= 0);
}
