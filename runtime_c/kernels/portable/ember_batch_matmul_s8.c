/* q.batch_matmul, int8 a, int8 b, int8 y: four columns at a time share the loads of a row of a.
 *
 * Any values; the compiler proved that k products fit 32 bits.
 */
#include "ember_batch_row.h"

void ember_batch_matmul_s8(const int8_t *a, const int8_t *b, int8_t *y, const ember_batch_matmul_params *restrict p)
{
    for (int32_t batch = 0; batch < p->batches; batch++) {
        for (int32_t r = 0; r < p->rows; r++) {
            for (int32_t n = 0; n < p->n; n += 4) {
                const int32_t used = ember_min(4, p->n - n);
                int32_t v[4];
                ember_batch_row4_s8(a, b + n * p->b_n, used, v, p);
                for (int32_t i = 0; i < used; i++)
                    *y++ = ember_clamp_s8(v[i]);
            }
            a += p->k;
        }
        b += p->b_batch;
    }
}
