/* q.reduce_sum, q.reduce_max and q.top_k over the middle axis of [outer, length, inner]. */
#ifndef EMBER_REDUCE_H
#define EMBER_REDUCE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t outer;
    int32_t length;
    int32_t inner;
    int32_t zx;
    int32_t m;
    int32_t shift; /* 0 .. 31 */
    int32_t zero_point;
} ember_reduce_sum_params;

/* y[o, i] = (sum_l (x[o, l, i] - zx)) * m */
void ember_reduce_sum_s8(const int8_t *x, int8_t *y, const ember_reduce_sum_params *p);
void ember_reduce_sum_s8_s16(const int8_t *x, int16_t *y, const ember_reduce_sum_params *p);
void ember_reduce_sum_s16(const int16_t *x, int16_t *y, const ember_reduce_sum_params *p);
void ember_reduce_sum_s16_s8(const int16_t *x, int8_t *y, const ember_reduce_sum_params *p);

typedef struct {
    int32_t outer;
    int32_t length;
    int32_t inner;
} ember_reduce_max_params;

/* y[o, i] = max_l x[o, l, i] */
void ember_reduce_max_s8(const int8_t *x, int8_t *y, const ember_reduce_max_params *p);
void ember_reduce_max_s16(const int16_t *x, int16_t *y, const ember_reduce_max_params *p);

typedef struct {
    int32_t outer;
    int32_t length;
    int32_t inner;
    int32_t k;        /* 0 .. length */
    int32_t smallest; /* 1: the smallest elements, rising */
    int32_t last;     /* 1: of equals the last stands first */
} ember_top_k_params;

/* values[o, j, i], j < k: the largest x[o, l, i] in falling order; positions: their l. */
void ember_top_k_s8(const int8_t *x, int8_t *values, int32_t *positions, const ember_top_k_params *p);
void ember_top_k_s16(const int16_t *x, int16_t *values, int32_t *positions, const ember_top_k_params *p);
void ember_top_k_s32(const int32_t *x, int32_t *values, int32_t *positions, const ember_top_k_params *p);

#ifdef __cplusplus
}
#endif
#endif
