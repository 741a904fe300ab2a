/* q.reduce_sum and q.reduce_max over the middle axis of [outer, length, inner]. */
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

#ifdef __cplusplus
}
#endif
#endif
