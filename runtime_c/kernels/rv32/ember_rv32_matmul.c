/* q.matmul on int8 x, RV32IM: the walk over rows and blocks of columns, and the epilogue.
 *
 * Idea: four rows become a panel of words that hold two rows each, and every block of four columns runs over it; two
 * rows that are left likewise, a single one with plain products. The weights are one stream in the order of use.
 * The epilogue rounds a doubled product, so it needs the product's high word alone, and clamps by one comparison: 9
 * instructions an output.
 * Preconditions: the accumulator may be doubled without overflow (backend/c/variants/rv32_matmul.py); scratch 4-byte
 * aligned, 8 * (k + 1) bytes.
 * Instructions per MAC: those of the sums, panel 2.5 / n, and about 16 / k around the loops; measured in
 * ember_matmul_s8_rv32.c.
 */
#include <stddef.h>

#include "ember_math.h"
#include "ember_rv32_matmul.h"
#include "ember_rv32_store.h"

/* Four rows and two: a word for two rows at every k, zeros behind an odd k. */
static void panel_of_4(int32_t *panel, const int8_t *x, int32_t k)
{
    for (int32_t i = 0; i < k; i++) {
        *panel++ = ember_rv32_join(x[0], x[k]);
        *panel++ = ember_rv32_join(x[2 * k], x[3 * k]);
        x++;
    }
    panel[0] = panel[1] = 0;
}

static void panel_of_2(int32_t *panel, const int8_t *x, int32_t k)
{
    for (int32_t i = 0; i < k; i++) {
        *panel++ = ember_rv32_join(x[0], x[k]);
        x++;
    }
    *panel = 0;
}

/* -zero * sum of a row of x. */
static int32_t row_offset(const int8_t *x, int32_t k, int32_t zero)
{
    int32_t sum = 0;
    for (const int8_t *const end = x + k; x != end; x++)
        sum += *x;
    return -zero * sum;
}

/* Four rows or two, block by block. */
static void run_rows(int32_t rows, const int8_t *x, void *y, int wide, int32_t *panel,
                     const ember_rv32_matmul_params *p)
{
    const int32_t steps = (p->k + 1) / 2;
    const int32_t *stream = p->stream;
    int32_t offsets[4];
    if (rows == 4)
        panel_of_4(panel, x, p->k);
    else
        panel_of_2(panel, x, p->k);
    if (p->w_zero != 0)
        for (int32_t r = 0; r < rows; r++)
            offsets[r] = row_offset(x + r * p->k, p->k, p->w_zero);
    for (int32_t n = 0; n < p->n; n += 4) {
        const lines to = {stream + 4, 0, moved(y, wide, n), p->n, ember_min(4, p->n - n), wide};
        int32_t sums[16];
        if (rows == 4)
            ember_rv32_sums_4x4(sums, panel, steps, stream);
        else
            ember_rv32_sums_2x4(sums, panel, steps, stream);
        if (p->w_zero != 0)
            shift_rows(sums, offsets, rows);
        store(sums, rows, &to, p);
        stream += EMBER_RV32_HEAD + 2 * steps;
    }
}

/* One row, two blocks at a time; a last block alone is summed twice. */
static void run_row(const int8_t *x, void *y, int wide, const ember_rv32_matmul_params *p)
{
    const int32_t words = EMBER_RV32_HEAD + (p->k + 1) / 2 * 2;
    const int32_t *stream = p->stream;
    const int32_t offset = p->w_zero != 0 ? row_offset(x, p->k, p->w_zero) : 0;
    const int32_t offsets[2] = {offset, offset};
    for (int32_t n = 0; n < p->n; n += 8) {
        const int32_t left = p->n - n, both = left > 4;
        const lines first = {stream + 4, words, moved(y, wide, n), 4, ember_min(4, left), wide};
        int32_t sums[8];
        ember_rv32_sums_1x8(sums, x, p->k, stream, both ? stream + words : stream);
        if (p->w_zero != 0)
            shift_rows(sums, offsets, 2);
        store(sums, left < 8 ? 1 : 2, &first, p);
        if (both && left < 8) {
            const lines second = {stream + words + 4, 0, moved(y, wide, n + 4), 0, left - 4, wide};
            store(sums + 4, 1, &second, p);
        }
        stream += 2 * words;
    }
}

void ember_rv32_matmul(const int8_t *x, void *y, int wide, void *scratch, const ember_rv32_matmul_params *p)
{
    int32_t left = p->rows;
    while (left > 1) {
        const int32_t rows = left >= 4 ? 4 : 2;
        run_rows(rows, x, y, wide, scratch, p);
        x += rows * p->k;
        y = moved(y, wide, rows * p->n);
        left -= rows;
    }
    if (left != 0)
        run_row(x, y, wide, p);
}
