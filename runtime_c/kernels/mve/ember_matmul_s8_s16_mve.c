/* q.matmul, int8 x, int16 y, on packed weights: two rows by four columns, or one row by eight.
 *
 * As ember_matmul_s8_mve, with any zero point; a table is read at the clamped int8 value.
 * Measured: (64,128,128) 0.136.
 */
#include <stddef.h>

#include "ember_mve.h"

#if EMBER_HAS_MVE

#include "ember_mve_block.h"
#include "ember_mve_finish_s16.h"

/* One row, or two: as many columns at a time as there is room for sums. */
static void run_rows(ember_mve_block *block, int16_t *y, int32_t rows, const ember_mve_matmul_params *p)
{
    int32_t columns = rows == 2 ? EMBER_MVE_SUMS / 2 : EMBER_MVE_SUMS;
    block->weights = p->stream;
    for (int32_t n = 0; n < p->n; n += columns, y += columns) {
        columns = ember_min(columns, p->n - n);
        if (rows == 2) {
            block->sums_end = block->sums + ((columns + 3) >> 2) * 8;
            ember_mve_2x4_s8(block);
        } else {
            block->sums_end = block->sums + ((columns + 7) >> 3) * 8;
            ember_mve_1x8_s8(block);
        }
        if (p->shift != 0)
            ember_mve_shift_sums(block->sums, (int32_t)(block->sums_end - block->sums), p->shift);
        ember_mve_finish_s16(block->sums, p->m + n, y, rows == 2 ? y + p->n : NULL, columns, p);
    }
}

void ember_matmul_s8_s16_mve(const int8_t *x, int16_t *y, void *scratch, const ember_mve_matmul_params *restrict p)
{
    int16_t *const start = y;
    ember_mve_block block;
    ember_mve_set_k(&block, p->k);
    block.sums = scratch;
    for (int32_t left = p->rows; left > 0; left -= 2) {
        const int32_t rows = ember_min(left, 2);
        block.row0 = x;
        block.row1 = x + (rows - 1) * p->k;
        run_rows(&block, y, rows, p);
        x += rows * p->k;
        y += rows * p->n;
    }
    if (p->table != NULL || p->lo > INT16_MIN || p->hi < INT16_MAX)
        ember_mve_clip_s16(start, p->rows * p->n, p);
}

#else

#include "ember_mve_plain.h"

void ember_matmul_s8_s16_mve(const int8_t *x, int16_t *y, void *scratch, const ember_mve_matmul_params *restrict p)
{
    const int16_t *table = p->table;
    (void)scratch;
    for (int32_t r = 0; r < p->rows; r++, x += p->k) {
        for (int32_t n = 0; n < p->n; n++) {
            const int32_t v = ember_mve_plain_column(x, n, p);
            *y++ = table != NULL ? table[v & 255] : (int16_t)v;
        }
    }
}

#endif
