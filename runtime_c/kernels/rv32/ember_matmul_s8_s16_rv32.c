/* q.matmul, int8 x, int16 y, on RV32IM: two rows in one word, two products in one multiplication.
 *
 * Idea, registers and instructions per MAC: ember_rv32_matmul.h, ember_rv32_matmul_row.h. 64,128,128 measures 2.41 (gcc 12, -O2).
 * Preconditions: any x; the packer (backend/c/variants/rv32_matmul.py) accepts every op whose accumulator may be
 * doubled without overflow; scratch 4-byte aligned.
 */
#include "ember_rv32_matmul.h"
#include "ember_rv32_matmul_row.h"

EMBER_RV32_KEEP_ORDER

void ember_matmul_s8_s16_rv32(const int8_t *x, int16_t *y, void *scratch, const ember_rv32_matmul_params *restrict p)
{
    int32_t rows = p->rows;
    for (; rows >= 4; rows -= 4) {
        ember_rv32_rows(x, y, 1, 2, scratch, p);
        x += 4 * p->k;
        y += 4 * p->n;
    }
    if (rows >= 2) {
        ember_rv32_rows(x, y, 1, 1, scratch, p);
        x += 2 * p->k;
        y += 2 * p->n;
        rows -= 2;
    }
    if (rows != 0)
        ember_rv32_row(x, y, 1, p);
}
