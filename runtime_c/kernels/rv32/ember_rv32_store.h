/* From the sums of q.matmul's blocks to results: requantization, clamp and table.
 *
 * Private to the rv32 kernels. It rounds a doubled product, so it needs the product's high word alone, and clamps by one
 * comparison: 9 instructions an output. gcc keeps the order of what includes this, see ember_rv32_pairs.h.
 */
#ifndef EMBER_RV32_STORE_H
#define EMBER_RV32_STORE_H

#include <stddef.h>

#include "ember_math.h"
#include "ember_rv32_matmul.h"

EMBER_RV32_KEEP_ORDER

/* v, which counts from lo, in units of the output */
EMBER_RV32_INLINE int32_t scaled(int32_t sum, int32_t m, int32_t shift, int32_t offset, int32_t range)
{
    const int32_t v = ember_rv32_scale(ember_shift_left(sum, shift), m, offset);
    return (uint32_t)v <= (uint32_t)range ? v : v < 0 ? 0 : range;
}

EMBER_RV32_INLINE void put(void *y, int wide, int32_t v, const void *table, int32_t lo)
{
    if (wide)
        *(int16_t *)y = (int16_t)(table != NULL ? ((const int16_t *)table)[v] : v + lo);
    else
        *(int8_t *)y = (int8_t)(table != NULL ? ((const int8_t *)table)[v] : v + lo);
}

static inline void *moved(void *y, int wide, int32_t by)
{
    return wide ? (void *)((int16_t *)y + by) : (void *)((int8_t *)y + by);
}

/* Lines of four sums: the rows of a block, or the blocks of a row. */
typedef struct {
    const int32_t *m; /* of the first line */
    int32_t m_step;   /* words to the next line's */
    void *y;          /* of the first line */
    int32_t y_step;   /* elements to the next line's */
    int32_t used;     /* columns of a line, 1 .. 4 */
    int wide;
} lines;

/* The epilogue of sums [count][4], with the kind of output known at compile time. */
EMBER_RV32_INLINE void finish(const int32_t *sums, int32_t count, const lines *to, int wide, const void *table,
                              const ember_rv32_matmul_params *p)
{
    const int32_t shift = p->shift, offset = p->offset, lo = p->lo, range = p->hi - p->lo;
    const int32_t m_step = to->m_step, y_step = to->y_step, used = to->used;
    const int32_t *m = to->m;
    void *y = to->y;
    for (int32_t i = 0; i < count; i++) {
        if (used == 4) {
            put(y, wide, scaled(sums[0], m[0], shift, offset, range), table, lo);
            put(moved(y, wide, 1), wide, scaled(sums[1], m[1], shift, offset, range), table, lo);
            put(moved(y, wide, 2), wide, scaled(sums[2], m[2], shift, offset, range), table, lo);
            put(moved(y, wide, 3), wide, scaled(sums[3], m[3], shift, offset, range), table, lo);
        } else {
            for (int32_t c = 0; c < used; c++)
                put(moved(y, wide, c), wide, scaled(sums[c], m[c], shift, offset, range), table, lo);
        }
        sums += 4;
        m += m_step;
        y = moved(y, wide, y_step);
    }
}

static inline void store(const int32_t *sums, int32_t count, const lines *to, const ember_rv32_matmul_params *p)
{
    if (p->table == NULL && !to->wide)
        finish(sums, count, to, 0, NULL, p);
    else if (p->table == NULL)
        finish(sums, count, to, 1, NULL, p);
    else if (!to->wide)
        finish(sums, count, to, 0, p->table, p);
    else
        finish(sums, count, to, 1, p->table, p);
}

/* sums [count][4] += offsets [count] */
static inline void shift_rows(int32_t *sums, const int32_t *offsets, int32_t count)
{
    for (int32_t r = 0; r < count; r++, sums += 4) {
        const int32_t by = offsets[r];
        sums[0] += by;
        sums[1] += by;
        sums[2] += by;
        sums[3] += by;
    }
}

#endif
