/* Walking two operands that broadcast to one shape, and the elementwise functions on the way.
 *
 * Private to the portable kernels: the innermost axis is a kernel's own loop, the others are counted here.
 */
#ifndef EMBER_BROADCAST_H
#define EMBER_BROADCAST_H

#include "ember_elementwise.h"
#include "ember_logic.h"
#include "ember_math.h"

/* Elements from the operand's start to the row at `index`. */
static inline int32_t ember_offset(const int32_t index[EMBER_DIMS], const int32_t strides[EMBER_DIMS])
{
    int32_t offset = 0;
    for (int32_t axis = 0; axis < EMBER_DIMS - 1; axis++)
        offset += index[axis] * strides[axis];
    return offset;
}

/* Advances to the next row; 0 after the last one. */
static inline int ember_next_row(int32_t index[EMBER_DIMS], const int32_t dims[EMBER_DIMS])
{
    int32_t axis = EMBER_DIMS - 2;
    while (axis >= 0 && ++index[axis] == dims[axis])
        index[axis--] = 0;
    return axis >= 0;
}

static inline int32_t ember_add_element(int32_t x, int32_t y, const ember_add_params *p)
{
    return (((x * p->m1) >> p->s1) + ((y * p->m2) >> p->s2) + p->c) >> p->frac;
}

static inline int32_t ember_mul_element(int32_t x, int32_t y, const ember_mul_params *p)
{
    const int32_t product = ember_shift_left((x - p->zx) * (y - p->zy), p->shift);
    return ember_high_multiply(product, p->m, p->zero_point);
}

static inline uint8_t ember_compare_element(int32_t x, int32_t y, ember_comparison kind)
{
    switch (kind) {
    case EMBER_EQ:
        return x == y;
    case EMBER_NE:
        return x != y;
    case EMBER_LT:
        return x < y;
    case EMBER_LE:
        return x <= y;
    case EMBER_GT:
        return x > y;
    case EMBER_GE:
        break;
    }
    return x >= y;
}

static inline uint8_t ember_logical_element(int x, int y, ember_connective kind)
{
    return (uint8_t)(kind == EMBER_AND ? (x & y) : kind == EMBER_OR ? (x | y) : (x ^ y));
}

#endif
