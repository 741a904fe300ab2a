/* q.matmul and q.batch_matmul. */
#ifndef EMBER_MATMUL_H
#define EMBER_MATMUL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* y[r, n] = f((bias[n] + sum_k x[r, k] * w[n, k]) * m[n]) */
typedef struct {
    const int8_t *w;     /* [n, k] */
    const int32_t *bias; /* [n] */
    const int32_t *m;    /* [n] */
    const void *table;   /* NULL, or [256] elements of y's type, read at v + 128 */
    int32_t rows;
    int32_t k;
    int32_t n;
    int32_t k_slice; /* int16 x: products that an int32 surely holds */
    int32_t shift;   /* of the accumulator before it is multiplied; int16 x: may be negative */
    int32_t zero_point;
    int32_t lo; /* clamp; inside int8 where a table follows, inside y's type always */
    int32_t hi;
} ember_matmul_params;

/* x [rows, k], y [rows, n]; scratch is not used by the portable kernels and may be NULL there. */
void ember_matmul_s8(const int8_t *x, int8_t *y, void *scratch, const ember_matmul_params *p);
void ember_matmul_s8_s16(const int8_t *x, int16_t *y, void *scratch, const ember_matmul_params *p);
void ember_matmul_s16(const int16_t *x, int16_t *y, void *scratch, const ember_matmul_params *p);
void ember_matmul_s16_s8(const int16_t *x, int8_t *y, void *scratch, const ember_matmul_params *p);

/* y[b, i, j] = (sum_k (a[b, i, k] - za) * (b[b, k, j] - zb)) * m */
typedef struct {
    int32_t batches;
    int32_t rows;
    int32_t k;
    int32_t n;
    int32_t b_batch; /* elements of b from one batch to the next; 0: shared */
    int32_t b_k;     /* elements of b from one k to the next: n, or 1 when b is transposed */
    int32_t b_n;     /* elements of b from one column to the next: 1, or k when b is transposed */
    int32_t za;
    int32_t zb;
    int32_t m;
    int32_t shift; /* int16 a: may be negative */
    int32_t zero_point;
} ember_batch_matmul_params;

/* a [batches, rows, k], y [batches, rows, n] */
void ember_batch_matmul_s8(const int8_t *a, const int8_t *b, int8_t *y, const ember_batch_matmul_params *p);
void ember_batch_matmul_s8_s16(const int8_t *a, const int8_t *b, int16_t *y, const ember_batch_matmul_params *p);
void ember_batch_matmul_s16(const int16_t *a, const int8_t *b, int16_t *y, const ember_batch_matmul_params *p);
void ember_batch_matmul_s16_s8(const int16_t *a, const int8_t *b, int8_t *y, const ember_batch_matmul_params *p);

#ifdef __cplusplus
}
#endif
#endif
