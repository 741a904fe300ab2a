/* The rows of a q.matmul of int16 x: two at a time, paired once, over all columns; see ember_wide.h.
 *
 * An odd row runs with the one before it again. Scratch: the words of two rows; behind them, where k comes in slices, the
 * sums of 64 columns, 24 bytes each.
 * Predicted per MAC: 0.875 + 26 / (4 k) for ember_wide_2x2, 1.5 / n for the rows; for slices 4 / k and 20 / k more.
 * Measured on Cortex-M4 at (64,128,128): 0.965.
 */
#include "ember_wide.h"

enum { COLUMNS = 64 };

typedef struct {
    int64_t total[2 * COLUMNS]; /* [columns / 2][row][2] */
    int32_t part[2 * COLUMNS];
} slice_sums;

/* All columns in one go; the last one of an odd number writes two columns aside. */
static void run_whole(ember_wide_block *block, uint8_t *y, int32_t stride, int32_t size, const ember_wide_params *p)
{
    const int32_t words = ((p->k + 3) >> 2) * 2 + 4;
    block->stream = p->stream;
    block->stream_end = p->stream + (p->n >> 1) * words;
    block->y = y;
    block->stride = stride;
    if (p->n > 1)
        ember_wide_2x2(block);
    if ((p->n & 1) != 0) {
        uint8_t aside[8];
        block->stream = block->stream_end;
        block->stream_end += words;
        block->y = aside;
        block->stride = 2 * size;
        ember_wide_2x2(block);
        y += (p->n - 1) * size;
        memcpy(y, aside, (size_t)size);
        memcpy(y + stride, aside + 2 * size, (size_t)size);
    }
}

/* Results of `count` columns; m is the first pair's multipliers, the next ones are `words` on. */
static void store(const slice_sums *from, const int32_t *m, int32_t words, uint8_t *y, int32_t stride, int32_t count,
                  int32_t size, const ember_wide_params *p)
{
    for (int32_t c = 0; c < count; c++, y += size) {
        for (int32_t r = 0; r < 2; r++) {
            const int32_t acc = ember_shift64(from->total[(c >> 1) * 4 + r * 2 + (c & 1)], -p->shift);
            const int32_t v = ember_high_multiply(acc, m[(c >> 1) * words + (c & 1)], p->zero_point);
            const int8_t narrow = ember_clamp_s8(v);
            const int16_t half = ember_clamp_s16(v);
            memcpy(y + r * stride, size == 1 ? (const void *)&narrow : (const void *)&half, (size_t)size);
        }
    }
}

/* 64 columns at a time, slice by slice. */
static void run_slices(ember_wide_block *block, const int32_t *rows, slice_sums *sums, uint8_t *y, int32_t stride,
                       int32_t size, const ember_wide_params *p)
{
    const int32_t words = (p->slice >> 2) * 2 + 4;
    const int32_t pairs = (p->n + 1) >> 1;
    for (int32_t first = 0; first < pairs; first += COLUMNS / 2) {
        const int32_t used = ember_min(COLUMNS / 2, pairs - first);
        const int32_t *stream = p->stream + first * words;
        for (int32_t i = 0; i < 4 * used; i++)
            sums->total[i] = 0;
        for (int32_t from = 0; from < p->k; from += p->slice, stream += pairs * words) {
            block->rows = rows + from;
            block->rows_end = block->rows + p->slice;
            block->stream = stream;
            block->stream_end = stream + used * words;
            block->y = sums->part;
            ember_wide_2x2(block);
            for (int32_t i = 0; i < 4 * used; i++)
                sums->total[i] += sums->part[i];
        }
        store(sums, p->stream + (first + 1) * words - 2, words, y + 2 * first * size, stride,
              ember_min(COLUMNS, p->n - 2 * first), size, p);
    }
}

void ember_wide_matmul(const int16_t *x, uint8_t *y, int32_t *scratch, const ember_wide_params *p, int32_t size)
{
    const int32_t step = p->rows > 1, split = p->slice < p->k;
    const int32_t words = split ? (p->k + p->slice - 1) / p->slice * p->slice : (p->k + 3) & ~3;
    ember_wide_block block;
    block.zero_point = p->zero_point;
    block.shift = p->shift;
    block.rows = scratch;
    block.rows_end = scratch + words;
    ember_wide_enter(&block, split ? p->slice : words, split ? EMBER_WIDE_SUMS : EMBER_WIDE_S8 + (uint32_t)(size == 2));
    for (int32_t row = 0; row < p->rows; row += 2) {
        const int32_t first = ember_min(row, p->rows - 1 - step), stride = step * p->n * size;
        int32_t *end = ember_pair_rows_s16(x + first * p->k, x + (first + step) * p->k, p->k, scratch);
        for (; end != scratch + words; end++)
            *end = 0;
        if (split)
            run_slices(&block, scratch, (slice_sums *)(void *)(scratch + words), y + first * p->n * size, stride, size,
                       p);
        else
            run_whole(&block, y + first * p->n * size, stride, size, p);
    }
}
