/* q.matmul, int8 x, int8 y, on RV32IM: two rows in one word, two products in one multiplication.
 *
 * Idea, registers and instructions per MAC: ember_rv32_matmul.h, ember_rv32_matmul_row.h. Measured (gcc 12, -O2):
 * 128,128,128 2.41; 128,512,128 2.27; 64,64,64 2.64; 100,80,160 2.52; 1,256,1024 3.30.
 * Preconditions: any x; the packer (backend/c/variants/rv32_matmul.py) accepts every op whose accumulator may be
 * doubled without overflow; scratch 4-byte aligned.
 */
#include "ember_rv32_matmul.h"
#include "ember_rv32_matmul_row.h"

EMBER_RV32_KEEP_ORDER

void ember_matmul_s8_rv32(const int8_t *x, int8_t *y, void *scratch, const ember_rv32_matmul_params *restrict p)
{
    int32_t rows = p->rows;
    for (; rows >= 4; rows -= 4) {
        ember_rv32_rows(x, y, 0, 2, scratch, p);
        x += 4 * p->k;
        y += 4 * p->n;
    }
    if (rows >= 2) {
        ember_rv32_rows(x, y, 0, 1, scratch, p);
        x += 2 * p->k;
        y += 2 * p->n;
        rows -= 2;
    }
    if (rows != 0)
        ember_rv32_row(x, y, 0, p);
}
