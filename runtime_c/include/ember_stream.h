/* q.running_sum, q.cache and q.slide: what a model that runs step by step keeps. */
#ifndef EMBER_STREAM_H
#define EMBER_STREAM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t outer;
    int32_t length; /* rows that are added in this call */
    int32_t inner;
    int32_t zx;
    int32_t m;
    int32_t shift; /* 0 .. 31 */
    int32_t zero_point;
} ember_running_sum_params;

/* total[o, i] = initial[o, i] + sum over l of (x[o, l, i] - zx); y is total requantized. total may be initial. */
void ember_running_sum_s8(const int8_t *x, const int32_t *initial, int8_t *y, int32_t *total,
                          const ember_running_sum_params *p);
void ember_running_sum_s8_s16(const int8_t *x, const int32_t *initial, int16_t *y, int32_t *total,
                              const ember_running_sum_params *p);
void ember_running_sum_s16(const int16_t *x, const int32_t *initial, int16_t *y, int32_t *total,
                           const ember_running_sum_params *p);
void ember_running_sum_s16_s8(const int16_t *x, const int32_t *initial, int8_t *y, int32_t *total,
                              const ember_running_sum_params *p);

typedef struct {
    int32_t batches;
    int32_t capacity; /* rows of x and y */
    int32_t count;    /* rows that are written */
    int32_t bytes;    /* of a row */
} ember_cache_params;

/* y = x with ``count`` rows from *position on replaced; y may be x. EMBER_ERR_RANGE where they are outside. */
int ember_cache(const void *x, const void *rows, const int32_t *position, void *y, const ember_cache_params *p);

typedef struct {
    int32_t outer;
    int32_t moved; /* bytes that move to the front, of each outer index */
    int32_t bytes; /* of the new rows that follow them */
} ember_slide_params;

/* y = x without its first ``bytes``, then ``rows``; y may be x. */
void ember_slide(const void *x, const void *rows, void *y, const ember_slide_params *p);

#ifdef __cplusplus
}
#endif
#endif
