/* q.batch_matmul on RV32IM: b becomes the weights of ember_rv32_matmul, or ember_rv32_matmul_s16, in the scratch.
 *
 * Idea: sum (a - za) (b - zb) = sum a b - za sum b - zb sum a + k za zb. What hangs on a column is its bias in the packed
 * weights; ember_rv32_matmul adds what hangs on a row. One packing serves all rows, and all batches where b is shared.
 * Preconditions: sums that may be doubled (backend/c/variants/rv32_batch_matmul.py), with and without their zero points;
 * scratch 8 * (k + 1) bytes for the panel, then 32 + 4 (k + k % 2) for every four columns, 4-byte aligned.
 * Instructions per MAC: those of q.matmul, 5.5 / rows for packing, 3 / k for zero points of b; measured (gcc 12, -O2) at
 * 64,64,64: int8 a 2.82, int16 a 3.27.
 */
#include <stddef.h>

#include "ember_math.h"
#include "ember_rv32_matmul.h"

EMBER_RV32_KEEP_ORDER

/* Four columns from `b` on, of which `used` are there: what else is packed is not read. */
static int32_t *pack_block(const int8_t *b, int32_t used, int32_t *out, const ember_batch_matmul_params *p)
{
    const int32_t step = p->b_k;
    const int8_t *b1 = b + (used > 1 ? p->b_n : 0), *b2 = b1 + (used > 2 ? p->b_n : 0);
    const int8_t *b3 = b2 + (used > 3 ? p->b_n : 0);
    int8_t *w = (int8_t *)(out + EMBER_RV32_HEAD);
    int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (int32_t k = 0; k < p->k; k++) {
        const int8_t v0 = *b, v1 = *b1, v2 = *b2, v3 = *b3;
        w[0] = v0;
        w[1] = v1;
        w[2] = v2;
        w[3] = v3;
        s0 += v0;
        s1 += v1;
        s2 += v2;
        s3 += v3;
        w += 4;
        b += step;
        b1 += step;
        b2 += step;
        b3 += step;
    }
    if (p->k % 2 != 0) {
        w[0] = w[1] = w[2] = w[3] = 0;
        w += 4;
    }
    const int32_t constant = p->za * p->zb * p->k;
    out[0] = constant - p->za * s0;
    out[1] = constant - p->za * s1;
    out[2] = constant - p->za * s2;
    out[3] = constant - p->za * s3;
    out[4] = out[5] = out[6] = out[7] = p->m;
    return out + EMBER_RV32_HEAD + (p->k + 1) / 2 * 2;
}

void ember_rv32_batch_pack(const int8_t *b, int32_t *stream, const ember_batch_matmul_params *p)
{
    for (int32_t n = 0; n < p->n; n += 4)
        stream = pack_block(b + n * p->b_n, ember_min(4, p->n - n), stream, p);
}
