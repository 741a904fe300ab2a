/* q.conv, q.depthwise, q.pool_max, q.pool_mean: windows over images with channels last. */
#ifndef EMBER_WINDOW_H
#define EMBER_WINDOW_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* x [batches, height, width, channels], y [batches, y_height, y_width, y_channels]. One axis is an image of height 1. */
typedef struct {
    int32_t batches;
    int32_t height;
    int32_t width;
    int32_t channels;
    int32_t y_height;
    int32_t y_width;
    int32_t y_channels;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride_height;
    int32_t stride_width;
    int32_t dilation_height;
    int32_t dilation_width;
    int32_t pad_top;
    int32_t pad_left;
} ember_window;

/* One group of channels of a q.conv: windows as rows [tile, k], times the weights of the group. */
typedef struct {
    ember_window window;
    const void *matmul;     /* the parameters of the q.matmul kernel that the function calls, for a whole tile */
    int32_t tile;           /* rows of a product: 3 or more, or all */
    int32_t group_channels; /* of x; k is kernel_height * kernel_width * group_channels */
    int32_t first_channel;  /* of x */
    int32_t group_outputs;  /* channels of y; less than y_channels where there are several groups */
    int32_t first_output;
    int32_t fill;    /* of the windows outside x */
    int32_t patches; /* bytes of scratch before the windows: what the q.matmul kernel takes, a multiple of 4 */
} ember_conv_params;

/* Scratch: patches bytes, the windows [tile, k] and, of several groups, the products [tile, group_outputs], each part
 * rounded up to 4 bytes; aligned as the q.matmul kernel asks. */
void ember_conv_s8(const int8_t *x, int8_t *y, void *scratch, const ember_conv_params *p);
void ember_conv_s8_s16(const int8_t *x, int16_t *y, void *scratch, const ember_conv_params *p);
void ember_conv_s16(const int16_t *x, int16_t *y, void *scratch, const ember_conv_params *p);
void ember_conv_s16_s8(const int16_t *x, int8_t *y, void *scratch, const ember_conv_params *p);

/* The same with the q.matmul kernels of an instruction set. */
void ember_conv_s8_armv7em(const int8_t *x, int8_t *y, void *scratch, const ember_conv_params *p);
void ember_conv_s8_s16_armv7em(const int8_t *x, int16_t *y, void *scratch, const ember_conv_params *p);
void ember_conv_s8_armv7em_m7(const int8_t *x, int8_t *y, void *scratch, const ember_conv_params *p);
void ember_conv_s8_s16_armv7em_m7(const int8_t *x, int16_t *y, void *scratch, const ember_conv_params *p);
void ember_conv_s8_mve(const int8_t *x, int8_t *y, void *scratch, const ember_conv_params *p);
void ember_conv_s8_s16_mve(const int8_t *x, int16_t *y, void *scratch, const ember_conv_params *p);
void ember_conv_s8_rv32(const int8_t *x, int8_t *y, void *scratch, const ember_conv_params *p);
void ember_conv_s8_s16_rv32(const int8_t *x, int16_t *y, void *scratch, const ember_conv_params *p);

typedef struct {
    ember_window window;
    const int8_t *w;     /* [kernel_height, kernel_width, y_channels] */
    const int32_t *bias; /* [y_channels] */
    const int32_t *m;    /* [y_channels] */
    int32_t zx;
    int32_t shift; /* 0 .. 31 */
    int32_t zero_point;
} ember_depthwise_params;

/* y[.., c] = (bias[c] + sum_k (x[.., c / (y_channels / channels)] - zx) * w[k, c]) * m[c] */
void ember_depthwise_s8(const int8_t *x, int8_t *y, const ember_depthwise_params *p);
void ember_depthwise_s8_s16(const int8_t *x, int16_t *y, const ember_depthwise_params *p);
void ember_depthwise_s16(const int16_t *x, int16_t *y, const ember_depthwise_params *p);
void ember_depthwise_s16_s8(const int16_t *x, int8_t *y, const ember_depthwise_params *p);

typedef struct {
    ember_window window; /* every window reaches into x */
} ember_pool_max_params;

void ember_pool_max_s8(const int8_t *x, int8_t *y, const ember_pool_max_params *p);
void ember_pool_max_s16(const int16_t *x, int16_t *y, const ember_pool_max_params *p);

typedef struct {
    ember_window window;
    const int32_t *m; /* [kernel_height * kernel_width + 1], by the elements that a window has inside x */
    int32_t zx;
    int32_t shift; /* 0 .. 31 */
    int32_t zero_point;
} ember_pool_mean_params;

void ember_pool_mean_s8(const int8_t *x, int8_t *y, const ember_pool_mean_params *p);
void ember_pool_mean_s8_s16(const int8_t *x, int16_t *y, const ember_pool_mean_params *p);
void ember_pool_mean_s16(const int16_t *x, int16_t *y, const ember_pool_mean_params *p);
void ember_pool_mean_s16_s8(const int16_t *x, int8_t *y, const ember_pool_mean_params *p);

#ifdef __cplusplus
}
#endif
#endif
