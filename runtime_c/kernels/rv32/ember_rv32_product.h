/* q.mul on RV32IM, every pair of element types: see ember_rv32_rows.h.
 *
 * Idea: with twice the multiplier the half that rounds is one unit of the high word, so that MULH is enough.
 * Preconditions: elements of a row side by side in x and y; m << (shift + 1) fits 32 bits.
 * Per element: 2 loads, 2 differences, 2 multiplications, sum, shift, clamp 2, store, 5 / 8 of the loop = 11.6.
 * Measured at 128 x 128: 11.5.
 *
 * Private to the rv32 kernels.
 */
#ifndef EMBER_RV32_PRODUCT_H
#define EMBER_RV32_PRODUCT_H

#include "ember_rv32_rows.h"

typedef struct {
    int32_t zx;
    int32_t zy;
    int32_t m;
    int32_t offset;
} ember_rv32_factor;

EMBER_RV32_INLINE int32_t ember_rv32_product(int32_t x, int32_t y, const void *p)
{
    const ember_rv32_factor *f = p;
    return ember_rv32_scale((x - f->zx) * (y - f->zy), f->m, f->offset);
}

EMBER_RV32_INLINE void ember_rv32_mul(const void *x, int xw, const void *y, int yw, void *z, int zw,
                                      const ember_mul_params *p)
{
    const ember_rv32_factor factor = {p->zx, p->zy, ember_shift_left(p->m, p->shift + 1), 2 * p->zero_point + 1};
    ember_rv32_walk(x, xw, y, yw, z, zw, &p->shape, ember_rv32_product, &factor);
}

#endif
