/* q.add and q.requantize on RV32IM, every pair of element types: see ember_rv32_rows.h.
 *
 * Preconditions: elements of a row side by side in x and y.
 * Per element of a sum: 2 loads, 2 multiplications, 2 shifts, 2 sums, shift, clamp 2, store, 5 / 8 of the loop = 12.6;
 * of a q.requantize: load, multiplication, shift, sum, shift, clamp 2, store, 4 / 8 of the loop = 8.5.
 * Measured at 128 x 128: a sum 12.6, a q.requantize 8.4.
 *
 * Private to the rv32 kernels.
 */
#ifndef EMBER_RV32_SUM_H
#define EMBER_RV32_SUM_H

#include "ember_rv32_rows.h"

/* The fields of ember_add_params that an element takes. */
typedef struct {
    int32_t m1;
    int32_t s1;
    int32_t m2;
    int32_t s2;
    int32_t c;
    int32_t frac;
} ember_rv32_terms;

EMBER_RV32_INLINE int32_t ember_rv32_sum(int32_t x, int32_t y, const void *p)
{
    const ember_rv32_terms *t = p;
    return (((x * t->m1) >> t->s1) + ((y * t->m2) >> t->s2) + t->c) >> t->frac;
}

EMBER_RV32_INLINE void ember_rv32_add(const void *x, int xw, const void *y, int yw, void *z, int zw,
                                      const ember_add_params *p)
{
    const ember_rv32_terms terms = {p->m1, p->s1, p->m2, p->s2, p->c, p->frac};
    ember_rv32_walk(x, xw, y, yw, z, zw, &p->shape, ember_rv32_sum, &terms);
}

EMBER_RV32_INLINE void ember_rv32_rescale1(const void *x, int xw, void *y, int yw, int32_t i, const ember_rv32_terms *t)
{
    ember_rv32_put(y, yw, i, (((ember_rv32_load(x, xw, i) * t->m1) >> t->s1) + t->c) >> t->frac);
}

EMBER_RV32_INLINE void ember_rv32_rescale(const void *x, int xw, void *y, int yw, const ember_requantize_params *p)
{
    const ember_rv32_terms term = {p->m, p->s, 0, 0, p->c, p->frac};
    int32_t n = p->count;
    for (; n >= EMBER_RV32_TURN; n -= EMBER_RV32_TURN) {
        EMBER_RV32_UNROLLED
        for (int32_t i = 0; i < EMBER_RV32_TURN; i++)
            ember_rv32_rescale1(x, xw, y, yw, i, &term);
        x = ember_rv32_after(x, xw, EMBER_RV32_TURN);
        y = ember_rv32_moved(y, yw, EMBER_RV32_TURN);
    }
    for (int32_t i = 0; i < n; i++)
        ember_rv32_rescale1(x, xw, y, yw, i, &term);
}

#endif
