/* q.where, elements of 32 bits: z = c ? x : y; z may be x or y where that operand has z's shape. */
#include "ember_broadcast.h"
#include "ember_logic.h"

void ember_where_s32(const uint8_t *c, const int32_t *x, const int32_t *y, int32_t *z,
                     const ember_where_params *restrict p)
{
    const int32_t n = p->shape.dims[EMBER_DIMS - 1];
    const int32_t cs = p->cs[EMBER_DIMS - 1];
    const int32_t xs = p->shape.xs[EMBER_DIMS - 1];
    const int32_t ys = p->shape.ys[EMBER_DIMS - 1];
    int32_t index[EMBER_DIMS] = {0};
    do {
        const uint8_t *cr = c + ember_offset(index, p->cs);
        const int32_t *xr = x + ember_offset(index, p->shape.xs);
        const int32_t *yr = y + ember_offset(index, p->shape.ys);
        for (int32_t i = 0; i < n; i++)
            z[i] = cr[i * cs] ? xr[i * xs] : yr[i * ys];
        z += n;
    } while (ember_next_row(index, p->shape.dims));
}
