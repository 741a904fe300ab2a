/* q.layer_norm, q.softmax and q.softmax16: rows normalised by their own statistics. */
#ifndef EMBER_NORM_H
#define EMBER_NORM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a q.layer_norm does with rows of n, whatever their types. */
typedef struct {
    uint64_t eps; /* < 2^62 */
    int32_t rows;
    int32_t n;         /* 1 .. 16384 */
    int32_t frac;      /* F = 28 - ceil(log2 sqrt n) */
    int32_t unit;      /* int8 y: floor(32760 * sqrt(max(n - 1, 1)) * 2^(F - 12)) */
    int32_t out_shift; /* int8 y: 1 .. 8; int16 y: 0 .. 31 */
    int32_t center;    /* 1: LayerNorm, 0: RMSNorm */
} ember_norm_rows;

typedef struct {
    const int16_t *gamma; /* [n], not -32768 */
    const int16_t *beta;  /* [n], magnitudes up to 32512 */
    ember_norm_rows shape;
} ember_layer_norm_params;

/* x and y [rows, n]; y may be x where they have one type. */
void ember_layer_norm_s8(const int8_t *x, int8_t *y, const ember_layer_norm_params *p);
void ember_layer_norm_s16_s8(const int16_t *x, int8_t *y, const ember_layer_norm_params *p);

typedef struct {
    const int32_t *gamma; /* [n] */
    const int32_t *beta;  /* [n] */
    ember_norm_rows shape;
} ember_layer_norm_wide_params;

void ember_layer_norm_s8_s16(const int8_t *x, int16_t *y, const ember_layer_norm_wide_params *p);
void ember_layer_norm_s16(const int16_t *x, int16_t *y, const ember_layer_norm_wide_params *p);

/* For the cores whose kernels read gamma and beta side by side, prepared as the kernel has it. */
typedef struct {
    const int32_t *gains; /* [n][2] */
    ember_norm_rows shape;
} ember_norm_gains_params;

typedef struct {
    const uint16_t *table; /* [256], falling, table[0] in 1 .. 32767 and n * table[0] < 2^24 */
    int32_t rows;
    int32_t n;
} ember_softmax_params;

/* x and y [rows, n]; y may be x. y has scale 1/256 and zero point -128. */
void ember_softmax_s8(const int8_t *x, int8_t *y, const ember_softmax_params *p);

typedef struct {
    const int16_t *table; /* [table_size], falling, 0 at the end */
    int32_t table_size;
    int32_t rows;
    int32_t n;
    int32_t m; /* 0 .. 32767: entries of the table for one step of x, times 2^shift */
    int32_t shift;
} ember_softmax16_params;

/* x and y [rows, n]; y may be x. y has scale 2^-15. */
void ember_softmax16_s16(const int16_t *x, int16_t *y, const ember_softmax16_params *p);

#ifdef __cplusplus
}
#endif
#endif
