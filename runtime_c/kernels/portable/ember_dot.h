/* Dot products in blocks that share their loads: one row with four rows, and two rows with two.
 *
 * Private to the portable kernels. Of four rows of w `used` (1 .. 4) are wanted; the others repeat the last one, so that
 * a tail costs no loop of its own and nothing outside w is read.
 */
#ifndef EMBER_DOT_H
#define EMBER_DOT_H

#include "ember_math.h"

/* acc[i] += sum_k x[k] * w[i * stride + k]; the compiler proved that no sum overflows. */
static inline void ember_dot4_s8(const int8_t *x, const int8_t *w, int32_t stride, int32_t k, int32_t used,
                                 int32_t acc[4])
{
    const int8_t *w0 = w;
    const int8_t *w1 = w + ember_min(1, used - 1) * stride;
    const int8_t *w2 = w + ember_min(2, used - 1) * stride;
    const int8_t *w3 = w + ember_min(3, used - 1) * stride;
    int32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
    for (int32_t i = 0; i < k; i++) {
        const int32_t v = x[i];
        a0 += v * w0[i];
        a1 += v * w1[i];
        a2 += v * w2[i];
        a3 += v * w3[i];
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
}

/* The same for int16 x. */
static inline void ember_dot4_s16(const int16_t *x, const int8_t *w, int32_t stride, int32_t k, int32_t used,
                                  int32_t acc[4])
{
    const int8_t *w0 = w;
    const int8_t *w1 = w + ember_min(1, used - 1) * stride;
    const int8_t *w2 = w + ember_min(2, used - 1) * stride;
    const int8_t *w3 = w + ember_min(3, used - 1) * stride;
    int32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
    for (int32_t i = 0; i < k; i++) {
        const int32_t v = x[i];
        a0 += v * w0[i];
        a1 += v * w1[i];
        a2 += v * w2[i];
        a3 += v * w3[i];
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
}

/* acc[2r + c] = sum_k xr[k] * wc[k]: two rows of x and two of w share their loads. */
static inline void ember_dot2x2_s8(const int8_t *x0, const int8_t *x1, const int8_t *w0, const int8_t *w1, int32_t k,
                                   int32_t acc[4])
{
    int32_t a00 = 0, a01 = 0, a10 = 0, a11 = 0;
    for (int32_t i = 0; i < k; i++) {
        const int32_t u0 = x0[i], u1 = x1[i], v0 = w0[i], v1 = w1[i];
        a00 += u0 * v0;
        a01 += u0 * v1;
        a10 += u1 * v0;
        a11 += u1 * v1;
    }
    acc[0] = a00;
    acc[1] = a01;
    acc[2] = a10;
    acc[3] = a11;
}

#endif
