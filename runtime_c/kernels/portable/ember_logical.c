/* q.logical: and, or, xor, not of truth values; z may be x or y where that operand has z's shape. */
#include "ember_broadcast.h"
#include "ember_logic.h"

void ember_logical(const uint8_t *x, const uint8_t *y, uint8_t *z, const ember_logical_params *restrict p)
{
    const int32_t n = p->shape.dims[EMBER_DIMS - 1];
    const int32_t xs = p->shape.xs[EMBER_DIMS - 1];
    const int32_t ys = p->shape.ys[EMBER_DIMS - 1];
    int32_t index[EMBER_DIMS] = {0};
    do {
        const uint8_t *xr = x + ember_offset(index, p->shape.xs);
        if (p->kind == EMBER_NOT) {
            for (int32_t i = 0; i < n; i++)
                z[i] = xr[i * xs] == 0;
        } else {
            const uint8_t *yr = y + ember_offset(index, p->shape.ys);
            for (int32_t i = 0; i < n; i++)
                z[i] = ember_logical_element(xr[i * xs] != 0, yr[i * ys] != 0, p->kind);
        }
        z += n;
    } while (ember_next_row(index, p->shape.dims));
}
