/* q.batch_matmul, int16 a, int8 b, int8 y.
 *
 * Any values; the sum is exact in 64 bits.
 */
#include "ember_math.h"
#include "ember_matmul.h"

static int8_t element(const int16_t *a, const int8_t *b, const ember_batch_matmul_params *p)
{
    int64_t acc = 0;
    for (int32_t k = 0; k < p->k; k++) {
        acc += (int64_t)(a[k] - p->za) * (*b - p->zb);
        b += p->b_k;
    }
    const int32_t v = ember_shift64(acc, p->shift);
    return ember_clamp_s8(ember_high_multiply(v, p->m, p->zero_point));
}

void ember_batch_matmul_s16_s8(const int16_t *a, const int8_t *b, int8_t *y,
                               const ember_batch_matmul_params *restrict p)
{
    for (int32_t batch = 0; batch < p->batches; batch++) {
        for (int32_t r = 0; r < p->rows; r++) {
            for (int32_t n = 0; n < p->n; n++)
                *y++ = element(a, b + n * p->b_n, p);
            a += p->k;
        }
        b += p->b_batch;
    }
}
