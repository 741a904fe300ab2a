/* q.matmul on int16 x, RV32IM: the walk over fours of rows and blocks of columns.
 *
 * Idea: ember_rv32_sums_4x4_s16.c. The last four rows overlap those before them; of three the last runs twice.
 * Preconditions: three rows or more; sums that fit 32 bits, and once they are shifted may be doubled
 * (backend/c/variants/rv32_matmul.py); scratch 8 * (k + 1) bytes, 4-byte aligned.
 * Instructions per MAC: those of the sums, panel 2.5 / n, and about 16 / k around the loops; measured
 * (gcc 12, -O2) at 64,128,128: 2.84.
 */
#include "ember_rv32_matmul.h"
#include "ember_rv32_store.h"

/* Four rows, [k][row]; the last one may be the third. */
static void panel_of(int16_t *panel, const int16_t *x, int32_t k, int32_t last)
{
    const int16_t *const end = x + k;
    for (; x != end; x++, panel += 4) {
        panel[0] = x[0];
        panel[1] = x[k];
        panel[2] = x[2 * k];
        panel[3] = x[last * k];
    }
}

/* -zero * sum of a row of x. */
static int32_t row_offset(const int16_t *x, int32_t k, int32_t zero)
{
    int32_t sum = 0;
    for (const int16_t *const end = x + k; x != end; x++)
        sum += *x;
    return -zero * sum;
}

void ember_rv32_matmul_s16(const int16_t *x, void *y, int wide, void *scratch, const ember_rv32_matmul_params *p)
{
    const int32_t rows = ember_min(4, p->rows);
    for (int32_t next = 0; next < p->rows; next += rows) {
        const int32_t row = ember_min(next, p->rows - rows);
        const int32_t *stream = p->stream;
        int32_t offsets[4];
        panel_of(scratch, x + row * p->k, p->k, rows - 1);
        if (p->w_zero != 0)
            for (int32_t r = 0; r < rows; r++)
                offsets[r] = row_offset(x + (row + r) * p->k, p->k, p->w_zero);
        for (int32_t n = 0; n < p->n; n += 4) {
            const lines to = {stream + 4, 0, moved(y, wide, row * p->n + n), p->n, ember_min(4, p->n - n), wide};
            int32_t sums[16];
            ember_rv32_sums_4x4_s16(sums, scratch, p->k, stream);
            if (p->w_zero != 0)
                shift_rows(sums, offsets, rows);
            if (p->right != 0)
                for (int32_t i = 0; i < 16; i++)
                    sums[i] >>= p->right;
            store(sums, rows, &to, p);
            stream += EMBER_RV32_HEAD + (p->k + 1) / 2 * 2;
        }
    }
}
