/* Rows of two operands that broadcast to one shape, and vectors of eight int16 from either element type.
 *
 * Private to the Helium kernels.
 */
#ifndef EMBER_MVE_ROWS_H
#define EMBER_MVE_ROWS_H

#include <arm_mve.h>

#include "ember_broadcast.h"
#include "ember_mve.h"

#define EMBER_MVE_INLINE static inline __attribute__((always_inline))

/* Eight elements of `bytes` (1 or 2) bytes, and the first of them that `inside` allows. */
EMBER_MVE_INLINE int16x8_t ember_mve_load8(const void *from, int bytes)
{
    return bytes == 1 ? vldrbq_s16(from) : vldrhq_s16(from);
}

EMBER_MVE_INLINE int16x8_t ember_mve_load8_some(const void *from, int bytes, mve_pred16_t inside)
{
    return bytes == 1 ? vldrbq_z_s16(from, inside) : vldrhq_z_s16(from, inside);
}

/* The same for storing, saturated to the element type. */
EMBER_MVE_INLINE void ember_mve_store8(void *to, int bytes, int16x8_t v)
{
    if (bytes == 1)
        vstrbq_s16(to, vreinterpretq_s16_s8(vqmovnbq_s16(vreinterpretq_s8_s16(v), v)));
    else
        vstrhq_s16(to, v);
}

EMBER_MVE_INLINE void ember_mve_store8_some(void *to, int bytes, int16x8_t v, mve_pred16_t inside)
{
    if (bytes == 1)
        vstrbq_p_s16(to, vreinterpretq_s16_s8(vqmovnbq_s16(vreinterpretq_s8_s16(v), v)), inside);
    else
        vstrhq_p_s16(to, v, inside);
}

/* Even and odd lanes, saturated. (Narrowing into the register that is read saves a copy.) */
EMBER_MVE_INLINE int16x8_t ember_mve_join(int32x4_t even, int32x4_t odd)
{
    return vqmovntq_s32(vqmovnbq_s32(vreinterpretq_s16_s32(even), even), odd);
}

/* z = f(x, y, by) in int8, sixteen elements at a time; elements of a row side by side in x and y. Inlined, f and all. */
typedef int8x16_t ember_mve_function16(int8x16_t x, int8x16_t y, const void *by);

EMBER_MVE_INLINE void ember_mve_rows16(const int8_t *x, const int8_t *y, int8_t *z, const ember_broadcast *shape,
                                       ember_mve_function16 *f, const void *by)
{
    int32_t index[EMBER_DIMS] = {0};
    do {
        const int8_t *xr = x + ember_offset(index, shape->xs);
        const int8_t *yr = y + ember_offset(index, shape->ys);
        int32_t n = shape->dims[EMBER_DIMS - 1];
        for (; n >= 16; n -= 16, xr += 16, yr += 16, z += 16)
            vstrbq_s8(z, f(vldrbq_s8(xr), vldrbq_s8(yr), by));
        if (n > 0) {
            const mve_pred16_t inside = vctp8q((uint32_t)n);
            vstrbq_p_s8(z, f(vldrbq_z_s8(xr, inside), vldrbq_z_s8(yr, inside), by), inside);
            z += n;
        }
    } while (ember_next_row(index, shape->dims));
}

#endif
