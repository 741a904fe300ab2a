/* q.matmul, int16 x, int16 y, on packed weights: two rows by four columns.
 *
 * As ember_matmul_s8_s16_mve, with vectors of eight weights (ember_mve_2x4_s16s8) and sums that are shifted before they
 * are scaled; a single row runs as both. Preconditions: whole sums that fit 32 bits.
 * Per MAC at (64,128,128): predicted 0.219 + 0.008 + 15 / (8 k) + 2.1 / k = 0.258; measured 0.259.
 */
#include <stddef.h>

#include "ember_mve.h"

#if EMBER_HAS_MVE

#include "ember_mve_block.h"
#include "ember_mve_finish_s16.h"

/* Two rows, or one as both: as many columns at a time as there is room for sums. */
static void run_rows(ember_mve_block *block, int16_t *y, int16_t *second, const ember_mve_matmul_params *p)
{
    int32_t columns = EMBER_MVE_SUMS / 2;
    block->weights = p->stream;
    for (int32_t n = 0; n < p->n; n += columns) {
        columns = ember_min(columns, p->n - n);
        block->sums_end = block->sums + ((columns + 3) >> 2) * 8;
        ember_mve_2x4_s16s8(block);
        if (p->shift != 0)
            ember_mve_shift_sums(block->sums, (int32_t)(block->sums_end - block->sums), p->shift);
        ember_mve_finish_s16(block->sums, p->m + n, y + n, second + n, columns, p);
    }
}

void ember_matmul_s16_mve(const int16_t *x, int16_t *y, void *scratch, const ember_mve_matmul_params *restrict p)
{
    int16_t *const start = y;
    ember_mve_block block;
    ember_mve_set_k_s16(&block, p->k);
    block.sums = scratch;
    for (int32_t left = p->rows; left > 0; left -= 2) {
        const int32_t more = left > 1;
        block.row0 = x;
        block.row1 = x + more * p->k;
        run_rows(&block, y, y + more * p->n, p);
        x += 2 * p->k;
        y += 2 * p->n;
    }
    if (p->table != NULL || p->lo > INT16_MIN || p->hi < INT16_MAX)
        ember_mve_clip_s16(start, p->rows * p->n, p);
}

#else

#include "ember_mve_plain.h"

void ember_matmul_s16_mve(const int16_t *x, int16_t *y, void *scratch, const ember_mve_matmul_params *restrict p)
{
    const int16_t *table = p->table;
    (void)scratch;
    for (int32_t r = 0; r < p->rows; r++, x += p->k) {
        for (int32_t n = 0; n < p->n; n++) {
            const int32_t v = ember_mve_plain_column_s16(x, n, p);
            *y++ = table != NULL ? table[v & 255] : (int16_t)v;
        }
    }
}

#endif
