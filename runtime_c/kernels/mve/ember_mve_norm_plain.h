/* q.layer_norm from the reordered gamma and beta in plain C, for machines without Helium.
 *
 * Private to the Helium kernels.
 */
#ifndef EMBER_MVE_NORM_PLAIN_H
#define EMBER_MVE_NORM_PLAIN_H

#include "ember_math.h"
#include "ember_mve.h"

typedef struct {
    uint32_t scale;
    uint32_t offset;
    int32_t inverse;
} ember_mve_norm;

static inline ember_mve_norm ember_mve_norm_of(int32_t sum, uint64_t squares, const ember_mve_norm_params *p)
{
    const int64_t s = p->center ? sum : 0;
    const uint64_t spread = (uint64_t)p->n * squares - (uint64_t)(s * s) + p->eps;
    const uint64_t variance = spread != 0 ? spread : 1;
    const int32_t z = ember_clz64(variance) & ~1;
    const uint32_t v = (uint32_t)((variance << z) >> 32);
    const int32_t a = p->frac - 14 - (32 - z) / 2;
    uint32_t root = 65535;
    ember_mve_norm row;
    for (int i = 0; i < 4; i++)
        root = (root + v / root) >> 1;
    row.scale = (uint32_t)p->n << (a > 0 ? a : 0);
    row.offset = (uint32_t)s << (a > 0 ? a : 0);
    row.inverse = (int32_t)(((0x7FFFFFFFu / root) << 15) >> (a < 0 ? -a : 0));
    return row;
}

/* Element i of a row: its gamma lies in vectors of four that are followed by their betas. */
static inline int32_t ember_mve_norm_element(int32_t x, int32_t i, const ember_mve_norm *row,
                                             const ember_mve_norm_params *p)
{
    static const uint8_t vector_of[4] = {0, 2, 1, 3};
    const int whole = (i & ~15) + 16 <= p->n;
    const int32_t vector = whole ? (i >> 4) * 4 + vector_of[i & 3] : i >> 2;
    const int32_t *affine = p->affine + vector * 8 + (whole ? (i >> 2) & 3 : i & 3);
    const int32_t difference = (int32_t)((uint32_t)x * row->scale - row->offset);
    const int32_t t = ember_high_multiply(difference, row->inverse, 0);
    return ember_high_multiply(t, affine[0], affine[4]) >> p->out_shift;
}

#endif
