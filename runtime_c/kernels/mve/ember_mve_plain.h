/* One output of a q.matmul from the packed weights in plain C, for machines without Helium.
 *
 * Private to the Helium kernels.
 */
#ifndef EMBER_MVE_PLAIN_H
#define EMBER_MVE_PLAIN_H

#include "ember_math.h"
#include "ember_mve_block.h"

/* clip(requantize(bias[n] + sum_k x[k] * w[n, k])), before the table */
static inline int32_t ember_mve_plain_column(const int8_t *x, int32_t n, const ember_mve_matmul_params *p)
{
    const int32_t place = ember_mve_place(n, p->n);
    const int32_t column = place & 3;
    const int32_t whole = p->k & ~15;
    const int32_t *block = p->stream + (place >> 2) * (4 + p->k);
    const int8_t *body = (const int8_t *)(block + 4) + column * 16;
    const int8_t *tail = (const int8_t *)(block + 4) + 4 * whole + column * (p->k - whole);
    int32_t sum = block[column];
    for (int32_t i = 0; i < whole; i++)
        sum += x[i] * body[(i >> 4) * 64 + (i & 15)];
    for (int32_t i = whole; i < p->k; i++)
        sum += x[i] * tail[i - whole];
    return ember_clamp(ember_high_multiply(ember_shift_left(sum, p->shift), p->m[place], p->zero_point), p->lo, p->hi);
}

/* The same for int16 x, beside which vectors hold eight weights. */
static inline int32_t ember_mve_plain_column_s16(const int16_t *x, int32_t n, const ember_mve_matmul_params *p)
{
    const int32_t place = ember_mve_place(n, p->n);
    const int32_t column = place & 3;
    const int32_t whole = p->k & ~7;
    const int32_t *block = p->stream + (place >> 2) * (4 + p->k);
    const int8_t *body = (const int8_t *)(block + 4) + column * 8;
    const int8_t *tail = (const int8_t *)(block + 4) + 4 * whole + column * (p->k - whole);
    int32_t sum = block[column];
    for (int32_t i = 0; i < whole; i++)
        sum += x[i] * body[(i >> 3) * 32 + (i & 7)];
    for (int32_t i = whole; i < p->k; i++)
        sum += x[i] * tail[i - whole];
    return ember_clamp(ember_high_multiply(ember_shift(sum, p->shift), p->m[place], p->zero_point), p->lo, p->hi);
}

#endif
