/* q.index: any values, results wrap around; z may be x or y where shapes are equal. */
#include "ember_broadcast.h"
#include "ember_index.h"

static int32_t element(int32_t x, int32_t y, ember_index_kind kind)
{
    switch (kind) {
    case EMBER_INDEX_ADD:
        return (int32_t)((uint32_t)x + (uint32_t)y);
    case EMBER_INDEX_SUB:
        return (int32_t)((uint32_t)x - (uint32_t)y);
    case EMBER_INDEX_MUL:
        return (int32_t)((uint32_t)x * (uint32_t)y);
    case EMBER_INDEX_MIN:
        return x < y ? x : y;
    case EMBER_INDEX_MAX:
        break;
    }
    return x > y ? x : y;
}

void ember_index_s32(const int32_t *x, const int32_t *y, int32_t *z, const ember_index_params *restrict p)
{
    const int32_t n = p->shape.dims[EMBER_DIMS - 1];
    const int32_t xs = p->shape.xs[EMBER_DIMS - 1];
    const int32_t ys = p->shape.ys[EMBER_DIMS - 1];
    int32_t index[EMBER_DIMS] = {0};
    do {
        const int32_t *xr = x + ember_offset(index, p->shape.xs);
        const int32_t *yr = y + ember_offset(index, p->shape.ys);
        for (int32_t i = 0; i < n; i++)
            z[i] = element(xr[i * xs], yr[i * ys], p->kind);
        z += n;
    } while (ember_next_row(index, p->shape.dims));
}
