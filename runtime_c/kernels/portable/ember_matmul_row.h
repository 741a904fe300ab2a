/* What the four q.matmul kernels share: blocks of four sums, and the epilogue before a table.
 *
 * Private to the portable kernels.
 */
#ifndef EMBER_MATMUL_ROW_H
#define EMBER_MATMUL_ROW_H

#include "ember_dot.h"
#include "ember_matmul.h"

/* The epilogue of one sum, before a table. */
static inline int32_t ember_matmul_value(int32_t acc, int32_t n, const ember_matmul_params *p)
{
    return ember_clamp(ember_high_multiply(ember_shift_left(acc, p->shift), p->m[n], p->zero_point), p->lo, p->hi);
}

/* v[2r + c] of rows x and x + k, columns n and n1 */
static inline void ember_matmul2x2_s8(const int8_t *x, int32_t n, int32_t n1, int32_t v[4],
                                      const ember_matmul_params *p)
{
    int32_t acc[4];
    ember_dot2x2_s8(x, x + p->k, p->w + n * p->k, p->w + n1 * p->k, p->k, acc);
    v[0] = ember_matmul_value(acc[0] + p->bias[n], n, p);
    v[1] = ember_matmul_value(acc[1] + p->bias[n1], n1, p);
    v[2] = ember_matmul_value(acc[2] + p->bias[n], n, p);
    v[3] = ember_matmul_value(acc[3] + p->bias[n1], n1, p);
}

/* v[i] = clip(requantize(bias[n+i] + sum_k x[k] * w[n+i, k], m[n+i], shift, zero_point), lo, hi), i < used */
static inline void ember_matmul4_s8(const int8_t *x, int32_t n, int32_t used, int32_t v[4],
                                    const ember_matmul_params *p)
{
    int32_t acc[4] = {0, 0, 0, 0};
    ember_dot4_s8(x, p->w + n * p->k, p->k, p->k, used, acc);
    for (int32_t i = 0; i < used; i++)
        v[i] = ember_matmul_value(acc[i] + p->bias[n + i], n + i, p);
}

/* The same for int16 x: slices of k_slice products in 32 bits, their sum in 64. */
static inline void ember_matmul4_s16(const int16_t *x, int32_t n, int32_t used, int32_t v[4],
                                     const ember_matmul_params *p)
{
    int64_t acc[4] = {0, 0, 0, 0};
    for (int32_t i = 0; i < used; i++)
        acc[i] = p->bias[n + i];
    for (int32_t k = 0; k < p->k; k += p->k_slice) {
        int32_t part[4] = {0, 0, 0, 0};
        ember_dot4_s16(x + k, p->w + n * p->k + k, p->k, ember_min(p->k_slice, p->k - k), used, part);
        for (int32_t i = 0; i < used; i++)
            acc[i] += part[i];
    }
    for (int32_t i = 0; i < used; i++) {
        const int32_t a = ember_shift64(acc[i], p->shift);
        v[i] = ember_clamp(ember_high_multiply(a, p->m[n + i], p->zero_point), p->lo, p->hi);
    }
}

#endif
