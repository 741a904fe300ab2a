/* q.matmul on int8 x: 4 rows x 4 columns at a time, what is left in 2 x 4 and 1 x 8.
 *
 * Idea: four rows become a panel of words that hold two rows each (ember_rv32_pairs.h), every block of four columns
 * runs over the panel. One row alone takes eight columns and plain products, since a second row would be empty.
 * Registers of the 4 x 4 unit: 16 running sums, 4 words of x, 2 weights, 2 products, panel, its end, stream, the lift:
 * all 28 that C code has, so nothing else may live across the loop.
 * Instructions per MAC: unit 68 / 32 = 2.125 (4 lw, 8 lb, 56 arithmetic), 2.375 for two rows, 3.125 for one;
 * loop control 3 / 128, panel 2.5 / n, epilogue about 15 / k.
 *
 * Private to the rv32 kernels. `wide` is 1 for int16 y and known at compile time.
 */
#ifndef EMBER_RV32_MATMUL_H
#define EMBER_RV32_MATMUL_H

#include <stddef.h>

#include "ember_math.h"
#include "ember_rv32.h"
#include "ember_rv32_pairs.h"

enum { EMBER_RV32_UNROLL = 4 };

/* Where a block's results go. */
typedef struct {
    void *y; /* first row, first column of the block */
    int32_t stride;
    int32_t used; /* columns, 1 .. 4 */
    int wide;
} ember_rv32_block;

EMBER_RV32_INLINE ember_rv32_block ember_rv32_at(void *y, int32_t n, int wide, const ember_rv32_matmul_params *p)
{
    const ember_rv32_block block = {wide ? (void *)((int16_t *)y + n) : (void *)((int8_t *)y + n), p->n,
                                    ember_min(4, p->n - n), wide};
    return block;
}

EMBER_RV32_INLINE void ember_rv32_store(ember_rv32_block block, int32_t row, int32_t column, int32_t v,
                                        const void *table, int32_t lo)
{
    const int32_t at = row * block.stride + column;
    if (block.wide) {
        int16_t *const y = block.y;
        y[at] = (int16_t)(table != NULL ? ((const int16_t *)table)[v + lo + 128] : v + lo);
    } else {
        int8_t *const y = block.y;
        y[at] = (int8_t)(table != NULL ? ((const int8_t *)table)[v + lo + 128] : v + lo);
    }
}

/* The epilogue of `rows` x 4 sums, column by column. */
EMBER_RV32_INLINE void ember_rv32_finish(const int32_t *sums, int32_t rows, const int32_t *m, ember_rv32_block block,
                                         const ember_rv32_matmul_params *p)
{
    const int32_t shift = p->shift, offset = p->offset, lo = p->lo, range = p->hi - p->lo;
    const void *const table = p->table;
    for (int32_t c = 0; c < block.used; c++) {
        for (int32_t r = 0; r < rows; r++) {
            int32_t v = ember_rv32_scale(ember_shift_left(sums[r * 4 + c], shift), m[c], offset);
            if ((uint32_t)v > (uint32_t)range)
                v = v < 0 ? 0 : range;
            ember_rv32_store(block, r, c, v, table, lo);
        }
    }
}

/* One step of k and k + 1 for 2 * pairs rows and four columns. */
EMBER_RV32_INLINE void ember_rv32_unit(ember_rv32_pair *sums, int32_t pairs, const int32_t *x, const int8_t *w)
{
    const int32_t a0 = x[0], a1 = x[pairs], b0 = x[pairs - 1], b1 = x[2 * pairs - 1];
    EMBER_RV32_UNROLLED
    for (int32_t c = 0; c < 4; c++) {
        const int32_t w0 = w[c], w1 = w[c + 4];
        ember_rv32_step(&sums[c], a0, w0, a1, w1);
        if (pairs == 2)
            ember_rv32_step(&sums[c + 4], b0, w0, b1, w1);
    }
}

/* The sums of 2 * pairs rows and the four columns of a block of the stream. */
EMBER_RV32_INLINE void ember_rv32_sums(int32_t *out, int32_t pairs, const int32_t *panel, int32_t steps,
                                       const int32_t *stream)
{
    ember_rv32_pair s[8];
    EMBER_RV32_UNROLLED
    for (int32_t c = 0; c < 4; c++)
        s[c] = s[c + 4] = ember_rv32_start(stream[c], steps);
    const int8_t *w = (const int8_t *)(stream + 8);
    const int32_t *const end = panel + 2 * pairs * steps;
    const int32_t *const whole = end - 2 * pairs * (steps % EMBER_RV32_UNROLL);
    while (panel != whole) {
        EMBER_RV32_UNROLLED
        for (int32_t i = 0; i < EMBER_RV32_UNROLL; i++)
            ember_rv32_unit(s, pairs, panel + 2 * pairs * i, w + 8 * i);
        panel += 2 * pairs * EMBER_RV32_UNROLL;
        w += 8 * EMBER_RV32_UNROLL;
    }
    while (panel != end) {
        ember_rv32_unit(s, pairs, panel, w);
        panel += 2 * pairs;
        w += 8;
    }
    EMBER_RV32_UNROLLED
    for (int32_t c = 0; c < 4 * pairs; c++) {
        out[c + c / 4 * 4] = ember_rv32_low(s[c]);
        out[c + c / 4 * 4 + 4] = ember_rv32_high(s[c]);
    }
}

/* `pairs` words for every k: rows 0 and 1, then 2 and 3; zeros behind an odd k. */
EMBER_RV32_INLINE void ember_rv32_panel(int32_t *panel, int32_t pairs, const int8_t *x, int32_t k)
{
    for (int32_t i = 0; i < k; i++) {
        panel[0] = ember_rv32_join(x[i], x[i + k]);
        if (pairs == 2)
            panel[1] = ember_rv32_join(x[i + 2 * k], x[i + 3 * k]);
        panel += pairs;
    }
    panel[0] = 0;
    panel[pairs - 1] = 0;
}

/* 2 * pairs rows of x and y. */
EMBER_RV32_INLINE void ember_rv32_rows(const int8_t *x, void *y, int wide, int32_t pairs, int32_t *panel,
                                       const ember_rv32_matmul_params *p)
{
    const int32_t steps = (p->k + 1) / 2;
    const int32_t *stream = p->stream;
    ember_rv32_panel(panel, pairs, x, p->k);
    for (int32_t n = 0; n < p->n; n += 4) {
        int32_t sums[16];
        ember_rv32_sums(sums, pairs, panel, steps, stream);
        ember_rv32_finish(sums, 2 * pairs, stream + 4, ember_rv32_at(y, n, wide, p), p);
        stream += 8 + 2 * steps;
    }
}

#endif
