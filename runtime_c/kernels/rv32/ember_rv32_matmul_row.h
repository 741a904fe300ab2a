/* q.matmul on one row of int8 x: 8 columns at a time share the loads of x.
 *
 * Registers: 8 sums, x, a weight, a product, three pointers, the end. Instructions per MAC: unit 25 / 8 = 3.125
 * (9 lb, 8 mul, 8 add), loop control 4 / 64, epilogue about 14 / k.
 *
 * Private to the rv32 kernels.
 */
#ifndef EMBER_RV32_MATMUL_ROW_H
#define EMBER_RV32_MATMUL_ROW_H

#include "ember_rv32_matmul.h"

/* sums[c] += x * u[c], and the same of v for four more columns. */
EMBER_RV32_INLINE void ember_rv32_row_unit(int32_t *sums, int32_t x, const int8_t *u, const int8_t *v)
{
    EMBER_RV32_UNROLLED
    for (int32_t c = 0; c < 4; c++)
        sums[c] += x * u[c];
    EMBER_RV32_UNROLLED
    for (int32_t c = 0; c < 4; c++)
        sums[c + 4] += x * v[c];
}

/* The sums of a row with two blocks of the stream, `first` and `second`. */
EMBER_RV32_INLINE void ember_rv32_row_sums(int32_t *out, const int8_t *x, int32_t k, const int32_t *first,
                                           const int32_t *second)
{
    enum { UNROLL = 8 };
    int32_t s[8];
    EMBER_RV32_UNROLLED
    for (int32_t c = 0; c < 4; c++) {
        s[c] = first[c];
        s[c + 4] = second[c];
    }
    const int8_t *u = (const int8_t *)(first + 8), *v = (const int8_t *)(second + 8);
    const int8_t *const end = x + k, *const whole = end - k % UNROLL;
    while (x != whole) {
        EMBER_RV32_UNROLLED
        for (int32_t i = 0; i < UNROLL; i++)
            ember_rv32_row_unit(s, x[i], u + 4 * i, v + 4 * i);
        x += UNROLL;
        u += 4 * UNROLL;
        v += 4 * UNROLL;
    }
    while (x != end) {
        ember_rv32_row_unit(s, *x++, u, v);
        u += 4;
        v += 4;
    }
    EMBER_RV32_UNROLLED
    for (int32_t c = 0; c < 8; c++)
        out[c] = s[c];
}

EMBER_RV32_INLINE void ember_rv32_row(const int8_t *x, void *y, int wide, const ember_rv32_matmul_params *p)
{
    const int32_t words = 8 + (p->k + 1) / 2 * 2;
    const int32_t *stream = p->stream;
    for (int32_t n = 0; n < p->n; n += 8) {
        /* four columns are left: they are computed twice */
        const int32_t *const second = p->n - n > 4 ? stream + words : stream;
        int32_t sums[8];
        ember_rv32_row_sums(sums, x, p->k, stream, second);
        ember_rv32_finish(sums, 1, stream + 4, ember_rv32_at(y, n, wide, p), p);
        if (second != stream)
            ember_rv32_finish(sums + 4, 1, second + 4, ember_rv32_at(y, n + 4, wide, p), p);
        stream = second + words;
    }
}

#endif
