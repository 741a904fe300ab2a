/* q.batch_matmul, int16 a, int8 b, int16 y, on RV32IM: four rows by four columns.
 *
 * Idea and preconditions: ember_rv32_batch_pack.c, ember_rv32_matmul_s16.c.
 * Measured at 64,64,64, packing included: 3.29 a MAC.
 */
#include "ember_rv32_matmul.h"

void ember_batch_matmul_s16_rv32(const int16_t *a, const int8_t *b, int16_t *y, void *scratch,
                                 const ember_batch_matmul_params *restrict p)
{
    int32_t *const stream = (int32_t *)scratch + 2 * (p->k + 1);
    const ember_rv32_matmul_params q = ember_rv32_batch_params(stream, 1, p);
    for (int32_t batch = 0; batch < p->batches; batch++) {
        if (batch == 0 || p->b_batch != 0)
            ember_rv32_batch_pack(b + batch * p->b_batch, stream, p);
        ember_rv32_matmul_s16(a + batch * p->rows * p->k, y + batch * p->rows * p->n, 1, scratch, &q);
    }
}
