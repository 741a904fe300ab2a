/* q.batch_matmul: rows of a and columns of b become pairs of int16, then two rows by two columns at a time.
 *
 * Idea: ember_pair.h. Widening takes the zero points off, so they cost nothing; b is widened by 64 columns, over which
 * all rows run. An odd row runs with the one before it again; the last column of an odd number has its results aside.
 * Preconditions: sums that fit 32 bits; scratch of the words of two rows and 64 columns, k padded to fours.
 * Predicted per MAC: 0.625 + 18 / (4 k) for ember_pair_2x2, 0.9 / n for the rows, 0.9 / rows for columns that lie side
 * by side in b and 1.7 / rows for others; about 70 instructions two rows. Measured on Cortex-M4 at (64,64,64): int8 a
 * 0.754 with b transposed, 0.762 without; int16 a 0.774, 0.781.
 */
#include "ember_pair_matmul.h"

/* How the sums become elements of y. */
static uint32_t end_of(int32_t y_size, const ember_batch_matmul_params *p)
{
    const uint32_t wide = (uint32_t)(y_size == 2);
    if (p->shift == 0)
        return EMBER_PAIR_S8 + wide;
    return (p->shift > 0 ? EMBER_PAIR_LEFT_S8 : EMBER_PAIR_SHIFT_S8) + wide;
}

/* The last column alone: its block writes two columns. */
static void last_column(ember_pair_block *block, uint8_t *y, int32_t stride, int32_t size)
{
    uint8_t aside[8];
    block->y = aside;
    block->stride = 2 * size;
    ember_pair_2x2(block);
    memcpy(y, aside, (size_t)size);
    memcpy(y + stride, aside + 2 * size, (size_t)size);
}

/* All rows on `count` packed columns; y at the first of them. */
static void run_rows(const void *a, int32_t a_size, uint8_t *y, int32_t y_size, int32_t *rows, const int32_t *columns,
                     int32_t count, const ember_batch_matmul_params *p)
{
    const int32_t k = (p->k + 3) & ~3;
    const int32_t step = p->rows > 1;
    ember_pair_block block;
    block.m0 = block.m1 = p->m;
    block.zero_point = p->zero_point;
    block.shift0 = block.shift1 = p->shift < 0 ? -p->shift : p->shift;
    block.rows = rows;
    block.rows_end = rows + k;
    ember_pair_enter(&block, k, end_of(y_size, p));
    for (int32_t row = 0; row < p->rows; row += 2) {
        const int32_t first = ember_min(row, p->rows - 1 - step);
        const int32_t at = first * p->k, stride = step * p->n * y_size;
        uint8_t *to = y + first * p->n * y_size;
        if (a_size == 1)
            ember_pair_rows((const int8_t *)a + at, (const int8_t *)a + at + step * p->k, p->k, p->za, rows);
        else
            ember_pair_rows_s16((const int16_t *)a + at, (const int16_t *)a + at + step * p->k, p->k, rows);
        block.columns = columns;
        block.columns_end = columns + (count >> 1) * k;
        block.y = to;
        block.stride = stride;
        if (count > 1)
            ember_pair_2x2(&block);
        if ((count & 1) != 0) {
            block.columns = block.columns_end;
            block.columns_end += k;
            last_column(&block, to + (count - 1) * y_size, stride, y_size);
        }
    }
}

void ember_pair_matmul(const void *a, int32_t a_size, const int8_t *b, uint8_t *y, int32_t y_size, int32_t *scratch,
                       const ember_batch_matmul_params *p)
{
    int32_t *const columns = scratch + ((p->k + 3) & ~3);
    for (int32_t batch = 0; batch < p->batches; batch++) {
        for (int32_t n = 0; n < p->n; n += EMBER_PAIR_COLUMNS) {
            const int32_t count = ember_min(EMBER_PAIR_COLUMNS, p->n - n);
            ember_pair_pack(b + n * p->b_n, p->k, count, columns, p);
            run_rows(a, a_size, y + n * y_size, y_size, scratch, columns, count, p);
        }
        a = (const int8_t *)a + p->rows * p->k * a_size;
        b += p->b_batch;
        y += p->rows * p->n * y_size;
    }
}
