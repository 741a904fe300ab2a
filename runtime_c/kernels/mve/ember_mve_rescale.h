/* q.requantize on Helium, for every pair of element types: the one-term form of ember_mve_sum.h.
 *
 * Preconditions: 1 <= s <= 16. Per element: (load, 2 widenings, 2 copies of c, 2 multiplications, 2 shifts, 2
 * narrowings, store) / 8 = 1.5.
 * Measured at 128 x 128: 2.00 to int16, 2.25 to int8.
 *
 * Private to the Helium kernels.
 */
#ifndef EMBER_MVE_RESCALE_H
#define EMBER_MVE_RESCALE_H

#include "ember_mve_rows.h"

EMBER_MVE_INLINE int16x8_t ember_mve_rescale8(int16x8_t x, int32_t m, int32_t c, int32_t shift)
{
    const int32x4_t even = vqdmlahq_n_s32(vdupq_n_s32(c), vshllbq_n_s16(x, 15), m);
    const int32x4_t odd = vqdmlahq_n_s32(vdupq_n_s32(c), vshlltq_n_s16(x, 15), m);
    return ember_mve_join(vshlq_r_s32(even, shift), vshlq_r_s32(odd, shift));
}

/* xb, yb: bytes of an element. */
EMBER_MVE_INLINE void ember_mve_rescale(const int8_t *x, int xb, int8_t *y, int yb, const ember_requantize_params *p)
{
    const int32_t m = p->m * (1 << (16 - p->s));
    int32_t n = p->count;
    for (; n >= 8; n -= 8, x += 8 * xb, y += 8 * yb)
        ember_mve_store8(y, yb, ember_mve_rescale8(ember_mve_load8(x, xb), m, p->c, -p->frac));
    if (n > 0) {
        const mve_pred16_t inside = vctp16q((uint32_t)n);
        const int16x8_t v = ember_mve_rescale8(ember_mve_load8_some(x, xb, inside), m, p->c, -p->frac);
        ember_mve_store8_some(y, yb, v, inside);
    }
}

#endif
