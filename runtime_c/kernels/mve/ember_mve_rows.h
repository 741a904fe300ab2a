/* Rows of two operands that broadcast to one shape, and vectors of eight int16 from either element type.
 *
 * Private to the Helium kernels.
 */
#ifndef EMBER_MVE_ROWS_H
#define EMBER_MVE_ROWS_H

#include <arm_mve.h>

#include "ember_elementwise.h"
#include "ember_math.h"
#include "ember_mve.h"

#define EMBER_MVE_INLINE static inline __attribute__((always_inline))

/* Elements from an operand's start to the row at `index`. */
static inline int32_t ember_mve_offset(const int32_t index[EMBER_DIMS], const int32_t strides[EMBER_DIMS])
{
    int32_t offset = 0;
    for (int32_t axis = 0; axis < EMBER_DIMS - 1; axis++)
        offset += index[axis] * strides[axis];
    return offset;
}

/* Advances to the next row; 0 after the last one. */
static inline int ember_mve_next_row(int32_t index[EMBER_DIMS], const int32_t dims[EMBER_DIMS])
{
    int32_t axis = EMBER_DIMS - 2;
    while (axis >= 0 && ++index[axis] == dims[axis])
        index[axis--] = 0;
    return axis >= 0;
}

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

#endif
