/* q.matmul, int8 x, int8 y, on packed weights: two rows by four columns, or one row by eight.
 *
 * The kernels that sum are ember_mve_2x4_s8 and ember_mve_1x8_s8; this file requantizes what they leave in the scratch.
 * Any rows, k, n >= 1. |zero_point| <= 32640: saturating to int16 before it is added then changes no result.
 * Per MAC at (128,128,128): predicted 0.109 + 0.004 + 13 / (8 k) + 1.25 / k = 0.136, and 60 instructions two rows.
 * Measured: (128,128,128) 0.137, (128,512,128) 0.119, (64,64,64) 0.165, (1,256,1024) 0.151, (100,80,160) 0.163.
 */
#include <stddef.h>

#include "ember_mve.h"

#if EMBER_HAS_MVE

#include "ember_mve_block.h"
#include "ember_mve_finish_s8.h"

/* One row, or two: as many columns at a time as there is room for sums. */
static void run_rows(ember_mve_block *block, int8_t *y, int32_t rows, const ember_mve_matmul_params *p)
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
        ember_mve_finish_s8(block->sums, p->m + n, y, rows == 2 ? y + p->n : NULL, columns, p->zero_point);
    }
}

void ember_matmul_s8_mve(const int8_t *x, int8_t *y, void *scratch, const ember_mve_matmul_params *restrict p)
{
    int8_t *const start = y;
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
    if (p->table != NULL)
        ember_mve_look_up_s8(start, p->rows * p->n, p->table);
    else if (p->lo > INT8_MIN || p->hi < INT8_MAX)
        ember_mve_clip_s8(start, p->rows * p->n, p->lo, p->hi);
}

#else

#include "ember_mve_plain.h"

void ember_matmul_s8_mve(const int8_t *x, int8_t *y, void *scratch, const ember_mve_matmul_params *restrict p)
{
    const int8_t *table = p->table;
    (void)scratch;
    for (int32_t r = 0; r < p->rows; r++, x += p->k) {
        for (int32_t n = 0; n < p->n; n++) {
            const int32_t v = ember_mve_plain_column(x, n, p);
            *y++ = table != NULL ? table[v & 255] : (int8_t)v;
        }
    }
}

#endif
