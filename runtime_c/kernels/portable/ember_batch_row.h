/* What the four q.batch_matmul kernels share: a row of a with four columns of b, which share the row's loads.
 *
 * Private to the portable kernels. The products are summed with b as it is: its zero point comes off at the end, times
 * the sum of the row. About 3.5 instructions a MAC.
 */
#ifndef EMBER_BATCH_ROW_H
#define EMBER_BATCH_ROW_H

#include "ember_math.h"
#include "ember_matmul.h"

/* Products of an int16 less its zero point and an int8 that 32 bits hold. */
enum { EMBER_BATCH_SLICE = 256 };

typedef struct {
    int32_t sum[4]; /* of (a - za) * b, by column */
    int32_t row;    /* of a - za */
} ember_batch_sums;

/* `wide`: a is int16; k products that 32 bits hold. Of four columns `used` are wanted; the last is repeated. */
static inline ember_batch_sums ember_batch_dot4(const void *a, int wide, const int8_t *b, int32_t used, int32_t k,
                                                const ember_batch_matmul_params *p)
{
    const int8_t *b1 = b + ember_min(1, used - 1) * p->b_n;
    const int8_t *b2 = b + ember_min(2, used - 1) * p->b_n;
    const int8_t *b3 = b + ember_min(3, used - 1) * p->b_n;
    const int32_t za = p->za, step = p->b_k;
    int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0, row = 0;
    for (int32_t i = 0, at = 0; i < k; i++, at += step) {
        const int32_t v = (wide ? ((const int16_t *)a)[i] : ((const int8_t *)a)[i]) - za;
        row += v;
        s0 += v * b[at];
        s1 += v * b1[at];
        s2 += v * b2[at];
        s3 += v * b3[at];
    }
    const ember_batch_sums sums = {{s0, s1, s2, s3}, row};
    return sums;
}

/* The results of up to four columns of int8 a, before they are narrowed; the compiler proved that sums fit 32 bits. */
static inline void ember_batch_row4_s8(const int8_t *a, const int8_t *b, int32_t used, int32_t v[4],
                                       const ember_batch_matmul_params *p)
{
    const ember_batch_sums sums = ember_batch_dot4(a, 0, b, used, p->k, p);
    for (int32_t i = 0; i < used; i++) {
        const int32_t acc = sums.sum[i] - p->zb * sums.row;
        v[i] = ember_high_multiply(ember_shift_left(acc, p->shift), p->m, p->zero_point);
    }
}

/* The same of int16 a: sums of slices in 32 bits, theirs in 64. */
static inline void ember_batch_row4_s16(const int16_t *a, const int8_t *b, int32_t used, int32_t v[4],
                                        const ember_batch_matmul_params *p)
{
    int64_t acc[4] = {0, 0, 0, 0};
    for (int32_t k = 0; k < p->k; k += EMBER_BATCH_SLICE) {
        const ember_batch_sums sums =
            ember_batch_dot4(a + k, 1, b + k * p->b_k, used, ember_min(EMBER_BATCH_SLICE, p->k - k), p);
        for (int32_t i = 0; i < used; i++)
            acc[i] += sums.sum[i] - (int64_t)p->zb * sums.row;
    }
    for (int32_t i = 0; i < used; i++)
        v[i] = ember_high_multiply(ember_shift64(acc[i], p->shift), p->m, p->zero_point);
}

#endif
