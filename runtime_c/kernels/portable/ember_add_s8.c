/* q.add, int8 x and y, int8 z: any values; z may be x or y where that operand has z's shape. */
#include "ember_broadcast.h"

void ember_add_s8(const int8_t *x, const int8_t *y, int8_t *z, const ember_add_params *restrict p)
{
    const int32_t n = p->shape.dims[EMBER_DIMS - 1];
    const int32_t xs = p->shape.xs[EMBER_DIMS - 1];
    const int32_t ys = p->shape.ys[EMBER_DIMS - 1];
    int32_t index[EMBER_DIMS] = {0};
    do {
        const int8_t *xr = x + ember_offset(index, p->shape.xs);
        const int8_t *yr = y + ember_offset(index, p->shape.ys);
        for (int32_t i = 0; i < n; i++)
            z[i] = ember_clamp_s8(ember_add_element(xr[i * xs], yr[i * ys], p));
        z += n;
    } while (ember_next_row(index, p->shape.dims));
}
