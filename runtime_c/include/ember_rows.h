/* q.depthwise_rows: one filter a channel over rows, channels last. */
#ifndef EMBER_ROWS_H
#define EMBER_ROWS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const int8_t *w;     /* [taps, channels] */
    const int32_t *bias; /* [channels] */
    const int32_t *m;    /* [channels] */
    int32_t batches;
    int32_t x_rows;
    int32_t rows; /* of y */
    int32_t channels;
    int32_t taps;
    int32_t before; /* rows of zeros before x; negative: rows of x left out */
    int32_t dilation;
    int32_t zx;
    int32_t shift; /* 0 .. 31 */
    int32_t zero_point;
} ember_depthwise_rows_params;

/* y[b, t, c] = (bias[c] + sum_k (x[b, t + k * dilation - before, c] - zx) * w[k, c]) * m[c] */
void ember_depthwise_rows_s8(const int8_t *x, int8_t *y, const ember_depthwise_rows_params *p);
void ember_depthwise_rows_s8_s16(const int8_t *x, int16_t *y, const ember_depthwise_rows_params *p);
void ember_depthwise_rows_s16(const int16_t *x, int16_t *y, const ember_depthwise_rows_params *p);
void ember_depthwise_rows_s16_s8(const int16_t *x, int8_t *y, const ember_depthwise_rows_params *p);

#ifdef __cplusplus
}
#endif
#endif
