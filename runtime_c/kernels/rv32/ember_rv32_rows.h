/* Elements of either type one by one, eight to a turn of the loop.
 *
 * Idea: a load that extends costs one instruction, taking an element out of a loaded word two, so words are not worth
 * packing or unpacking. What is left to save is the loop (pointers, a counter and a branch, shared by eight elements)
 * and the clamp: an addition and a comparison of unsigned numbers say whether a result is in range, and the branch is
 * not taken where it is.
 *
 * Private to the rv32 kernels.
 */
#ifndef EMBER_RV32_ROWS_H
#define EMBER_RV32_ROWS_H

#include "ember_broadcast.h"
#include "ember_rv32.h"
#include "ember_rv32_pairs.h"

EMBER_RV32_KEEP_ORDER

enum { EMBER_RV32_TURN = 8 };

/* A word as it is: gcc would carry a clamped value in the element's type, at two instructions for its extension, and
 * a pointer in parts, at an addition an access. */
#if defined(__GNUC__)
#define EMBER_RV32_WHOLE_WORD(v) __asm__("" : "+r"(v))
#else
#define EMBER_RV32_WHOLE_WORD(v) ((void)(v))
#endif

/* wide: whether elements have 16 bits. */
EMBER_RV32_INLINE int32_t ember_rv32_load(const void *from, int wide, int32_t i)
{
    return wide ? ((const int16_t *)from)[i] : ((const int8_t *)from)[i];
}

EMBER_RV32_INLINE const void *ember_rv32_after(const void *from, int wide, int32_t i)
{
    return wide ? (const void *)((const int16_t *)from + i) : (const void *)((const int8_t *)from + i);
}

EMBER_RV32_INLINE void *ember_rv32_moved(void *to, int wide, int32_t i)
{
    return wide ? (void *)((int16_t *)to + i) : (void *)((int8_t *)to + i);
}

/* v, saturated to the element type */
EMBER_RV32_INLINE void ember_rv32_put(void *to, int wide, int32_t i, int32_t v)
{
    const uint32_t half = wide ? 1u << 15 : 1u << 7;
    if ((uint32_t)v + half >= 2 * half)
        v = v < 0 ? -(int32_t)half : (int32_t)half - 1;
    EMBER_RV32_WHOLE_WORD(v);
    if (wide)
        ((int16_t *)to)[i] = (int16_t)v;
    else
        ((int8_t *)to)[i] = (int8_t)v;
}

/* An element of the result before its clamp; p is the function's own. */
typedef int32_t (*ember_rv32_of_two)(int32_t x, int32_t y, const void *p);

/* z = of(x, y) along the rows of a shape; xw, yw, zw: which elements have 16 bits. A constant `of` is inlined. */
EMBER_RV32_INLINE void ember_rv32_walk(const void *x, int xw, const void *y, int yw, void *z, int zw,
                                       const ember_broadcast *shape, ember_rv32_of_two of, const void *p)
{
    int32_t index[EMBER_DIMS] = {0};
    do {
        const void *xr = ember_rv32_after(x, xw, ember_offset(index, shape->xs));
        const void *yr = ember_rv32_after(y, yw, ember_offset(index, shape->ys));
        int32_t n = shape->dims[EMBER_DIMS - 1];
        for (; n >= EMBER_RV32_TURN; n -= EMBER_RV32_TURN) {
            EMBER_RV32_UNROLLED
            for (int32_t i = 0; i < EMBER_RV32_TURN; i++)
                ember_rv32_put(z, zw, i, of(ember_rv32_load(xr, xw, i), ember_rv32_load(yr, yw, i), p));
            xr = ember_rv32_after(xr, xw, EMBER_RV32_TURN);
            yr = ember_rv32_after(yr, yw, EMBER_RV32_TURN);
            z = ember_rv32_moved(z, zw, EMBER_RV32_TURN);
        }
        for (int32_t i = 0; i < n; i++)
            ember_rv32_put(z, zw, i, of(ember_rv32_load(xr, xw, i), ember_rv32_load(yr, yw, i), p));
        z = ember_rv32_moved(z, zw, n);
    } while (ember_next_row(index, shape->dims));
}

#endif
