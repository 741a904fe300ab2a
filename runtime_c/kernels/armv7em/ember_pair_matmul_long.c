/* q.batch_matmul of int16 a whose sums may not fit 32 bits: exact sums of slices of k, added in 64 bits.
 *
 * Idea: ember_pair_matmul.c for one slice after the other, with sums instead of results at the end of a block.
 * Preconditions: scratch as there, and 24 bytes a column of 64 behind it, 8-byte aligned where a sum begins.
 * Predicted per MAC: as there, and 4 / 256 for each slice, and about 20 / k for the epilogue.
 */
#include "ember_pair_matmul.h"

enum { SUMS = 2 * EMBER_PAIR_COLUMNS };

typedef struct {
    int64_t total[SUMS]; /* [columns / 2][row][2] */
    int32_t part[SUMS];
} sums;

/* Two rows at `a` and `a + step`, elements of k, on `count` packed columns, slice by slice. */
static void sum_rows(sums *to, const int16_t *a, int32_t step, int32_t *rows, const int32_t *columns, int32_t count,
                     const ember_batch_matmul_params *p)
{
    const int32_t slice = ember_pair_slice(p);
    const int32_t used = (count + 1) >> 1;
    ember_pair_block block;
    for (int32_t i = 0; i < 4 * used; i++)
        to->total[i] = 0;
    for (int32_t from = 0; from < p->k; from += slice) {
        const int32_t some = ember_min(slice, p->k - from);
        const int32_t k = (some + 3) & ~3;
        ember_pair_rows_s16(a + from, a + from + step, some, rows);
        block.rows = rows;
        block.rows_end = rows + k;
        block.columns = columns;
        block.columns_end = columns + used * k;
        block.y = to->part;
        ember_pair_enter(&block, k, EMBER_PAIR_SUMS);
        ember_pair_2x2(&block);
        for (int32_t i = 0; i < 4 * used; i++)
            to->total[i] += to->part[i];
        columns = block.columns_end;
    }
}

static void store(const sums *from, uint8_t *y, int32_t y_size, int32_t stride, int32_t count,
                  const ember_batch_matmul_params *p)
{
    for (int32_t n = 0; n < count; n++, y += y_size) {
        for (int32_t r = 0; r < 2; r++) {
            const int32_t acc = ember_shift64(from->total[(n >> 1) * 4 + r * 2 + (n & 1)], p->shift);
            const int32_t v = ember_high_multiply(acc, p->m, p->zero_point);
            const int8_t narrow = ember_clamp_s8(v);
            const int16_t wide = ember_clamp_s16(v);
            memcpy(y + r * stride, y_size == 1 ? (const void *)&narrow : (const void *)&wide, (size_t)y_size);
        }
    }
}

void ember_pair_matmul_long(const int16_t *a, const int8_t *b, uint8_t *y, int32_t y_size, int32_t *scratch,
                            const ember_batch_matmul_params *p)
{
    const int32_t slice = ember_pair_slice(p), step = p->rows > 1;
    sums *const part = (sums *)(void *)scratch;
    int32_t *const rows = (int32_t *)(void *)(part + 1), *const packed = rows + slice;
    for (int32_t batch = 0; batch < p->batches; batch++, b += p->b_batch) {
        for (int32_t n = 0; n < p->n; n += EMBER_PAIR_COLUMNS) {
            const int32_t count = ember_min(EMBER_PAIR_COLUMNS, p->n - n);
            int32_t *columns = packed;
            for (int32_t from = 0; from < p->k; from += slice) {
                const int32_t some = ember_min(slice, p->k - from);
                ember_pair_pack(b + n * p->b_n + from * p->b_k, some, count, columns, p);
                columns += ((count + 1) >> 1) * ((some + 3) & ~3);
            }
            for (int32_t row = 0; row < p->rows; row += 2) {
                const int32_t first = ember_min(row, p->rows - 1 - step);
                sum_rows(part, a + first * p->k, step * p->k, rows, packed, count, p);
                store(part, y + (first * p->n + n) * y_size, y_size, step * p->n * y_size, count, p);
            }
        }
        a += p->rows * p->k;
        y += p->rows * p->n * y_size;
    }
}
