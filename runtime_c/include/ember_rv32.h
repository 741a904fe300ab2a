/* Kernels for RV32IM(AC), which has no SIMD and no multiply-accumulate: the portable kernels' bits. */
#ifndef EMBER_RV32_H
#define EMBER_RV32_H

#include <stdint.h>

#include "ember_attention.h"
#include "ember_elementwise.h"
#include "ember_embed.h"
#include "ember_matmul.h"
#include "ember_norm.h"
#include "ember_table.h"

#ifdef __cplusplus
extern "C" {
#endif

/* q.matmul on packed weights: y = f(((((bias[n] + sum_k x[k] * w[n, k]) << shift) * m[n] >> 32) + offset) >> 1),
 * which rounds as the op does: shift is one more than the op's, offset is 2 * (zero_point - lo) + 1. */
typedef struct {
    const int32_t *stream; /* every 4 columns: bias [4], m [4], weights int8 [k, 4]; k and n padded with 0 to even, 4 */
    const void *table;     /* NULL, or elements of y's type, read at v - lo */
    int32_t rows;
    int32_t k;
    int32_t n;
    int32_t shift;
    int32_t offset;
    int32_t lo; /* clamp */
    int32_t hi;
    int32_t right;  /* int16 x: of the sums, before the shift */
    int32_t w_zero; /* zero point of the weights: 0 but for q.batch_matmul */
} ember_rv32_matmul_params;

/* x [rows, k], y [rows, n]; scratch 8 * (k + 1) bytes, 4-byte aligned, unused for one row. */
void ember_matmul_s8_rv32(const int8_t *x, int8_t *y, void *scratch, const ember_rv32_matmul_params *p);
void ember_matmul_s8_s16_rv32(const int8_t *x, int16_t *y, void *scratch, const ember_rv32_matmul_params *p);

/* The same of int16 x, three rows or more, whose sums fit 32 bits. */
void ember_matmul_s16_rv32(const int16_t *x, int16_t *y, void *scratch, const ember_rv32_matmul_params *p);
void ember_matmul_s16_s8_rv32(const int16_t *x, int8_t *y, void *scratch, const ember_rv32_matmul_params *p);

/* q.batch_matmul of sums that may be doubled; scratch 8 * (k + 1) + N * (8 + K) bytes, N and K being n and k padded to 4
 * and 2; 4-byte aligned. */
void ember_batch_matmul_s8_rv32(const int8_t *a, const int8_t *b, int8_t *y, void *scratch,
                                const ember_batch_matmul_params *p);
void ember_batch_matmul_s8_s16_rv32(const int8_t *a, const int8_t *b, int16_t *y, void *scratch,
                                    const ember_batch_matmul_params *p);

/* int16 a: za 0, three rows or more. */
void ember_batch_matmul_s16_rv32(const int16_t *a, const int8_t *b, int16_t *y, void *scratch,
                                 const ember_batch_matmul_params *p);
void ember_batch_matmul_s16_s8_rv32(const int16_t *a, const int8_t *b, int8_t *y, void *scratch,
                                    const ember_batch_matmul_params *p);

/* q.attention with head_dim >= 4; scratch 8 * (head_dim + kv_rows + 2) bytes, 4-byte aligned. */
void ember_attention_s8_rv32(const int8_t *q, const int8_t *k, const int8_t *v, const uint8_t *mask, int8_t *y,
                             void *scratch, const ember_attention_params *p);
void ember_attention_s8_s16_rv32(const int8_t *q, const int8_t *k, const int8_t *v, const uint8_t *mask, int16_t *y,
                                 void *scratch, const ember_attention_params *p);

/* q.layer_norm; gains are gamma and (beta << 15) + (1 << (14 + out_shift)) for int8 y, gamma and 2 * beta + 1 for int16. */
void ember_layer_norm_s8_rv32(const int8_t *x, int8_t *y, const ember_norm_gains_params *p);
void ember_layer_norm_s16_s8_rv32(const int16_t *x, int8_t *y, const ember_norm_gains_params *p);
void ember_layer_norm_s8_s16_rv32(const int8_t *x, int16_t *y, const ember_norm_gains_params *p);
void ember_layer_norm_s16_rv32(const int16_t *x, int16_t *y, const ember_norm_gains_params *p);

/* q.add and q.mul, elements of a row side by side in x and y; q.mul: m << (shift + 1) fits 32 bits. */
void ember_add_s8_rv32(const int8_t *x, const int8_t *y, int8_t *z, const ember_add_params *p);
void ember_add_s8_s16_rv32(const int8_t *x, const int8_t *y, int16_t *z, const ember_add_params *p);
void ember_add_s16_rv32(const int16_t *x, const int16_t *y, int16_t *z, const ember_add_params *p);
void ember_add_s16_s8_rv32(const int16_t *x, const int16_t *y, int8_t *z, const ember_add_params *p);
void ember_add_s16s8_rv32(const int16_t *x, const int8_t *y, int16_t *z, const ember_add_params *p);
void ember_add_s16s8_s8_rv32(const int16_t *x, const int8_t *y, int8_t *z, const ember_add_params *p);
void ember_mul_s8_rv32(const int8_t *x, const int8_t *y, int8_t *z, const ember_mul_params *p);
void ember_mul_s8_s16_rv32(const int8_t *x, const int8_t *y, int16_t *z, const ember_mul_params *p);
void ember_mul_s16_rv32(const int16_t *x, const int16_t *y, int16_t *z, const ember_mul_params *p);
void ember_mul_s16_s8_rv32(const int16_t *x, const int16_t *y, int8_t *z, const ember_mul_params *p);
void ember_mul_s16s8_rv32(const int16_t *x, const int8_t *y, int16_t *z, const ember_mul_params *p);
void ember_mul_s16s8_s8_rv32(const int16_t *x, const int8_t *y, int8_t *z, const ember_mul_params *p);

/* q.requantize, q.table, q.table16 and q.softmax: as the portable kernels. */
void ember_requantize_s8_rv32(const int8_t *x, int8_t *y, const ember_requantize_params *p);
void ember_requantize_s8_s16_rv32(const int8_t *x, int16_t *y, const ember_requantize_params *p);
void ember_requantize_s16_rv32(const int16_t *x, int16_t *y, const ember_requantize_params *p);
void ember_requantize_s16_s8_rv32(const int16_t *x, int8_t *y, const ember_requantize_params *p);
void ember_table_s8_rv32(const int8_t *x, int8_t *y, const ember_table_params *p);
void ember_table_s8_s16_rv32(const int8_t *x, int16_t *y, const ember_table_params *p);
void ember_table16_s16_rv32(const int16_t *x, int16_t *y, const ember_table16_params *p);
void ember_softmax_s8_rv32(const int8_t *x, int8_t *y, const ember_softmax_params *p);

/* q.embed of at most four tables, each with a multiplier a column. */
int ember_embed_s8_rv32(const int32_t *const *ids, int8_t *y, const ember_embed_params *p);
int ember_embed_s16_rv32(const int32_t *const *ids, int16_t *y, const ember_embed_params *p);

/* q.causal_conv with taps by channel; the rounding as in ember_rv32_matmul_params. */
typedef struct {
    const int8_t *w;       /* [channels][padded_taps] */
    const int32_t *scales; /* [channels][2]: bias, m */
    const int8_t *table;   /* NULL, or [curves][hi + 1], read at v - lo */
    const uint8_t *curve;  /* [channels], the curve of each; NULL: one for all */
    int32_t batches;
    int32_t rows;
    int32_t channels;
    int32_t taps;
    int32_t padded_taps; /* in front, to a multiple of 4 */
    int32_t zx;
    int32_t shift;
    int32_t offset;
    int32_t lo; /* clamp, of the index where there is a table */
    int32_t hi;
} ember_rv32_conv_params;

/* As ember_causal_conv_s8; scratch padded_taps + rows + 2 bytes. */
void ember_causal_conv_s8_rv32(const int8_t *x, const int8_t *initial, int8_t *y, int8_t *tail, void *scratch,
                               const ember_rv32_conv_params *p);

/* q.selective_scan with constants as kernels/rv32/ember_rv32_scan.c reads them. */
typedef struct {
    const uint32_t *softplus; /* [levels], Delta << 12 | logarithm */
    const uint32_t *decay;    /* << 17 */
    const uint16_t *log_a;    /* [channels, states] in bytes of decay, or [heads] where all states share one */
    const int32_t *scales;    /* [channels][4]: mu, skip, my, mo */
    const int16_t *gate;      /* [256]; NULL: no gate */
    int32_t batches;
    int32_t steps;
    int32_t channels;
    int32_t heads;
    int32_t states;
    int32_t groups;
    int32_t levels;
    int32_t alike; /* 1: all states of a head share a decay */
    int32_t zx;
} ember_rv32_scan_params;

/* As ember_selective_scan_s8 and ember_selective_scan_s8_s16; scratch 768 + 8 * states bytes, 4-byte aligned. */
void ember_selective_scan_s8_rv32(const int8_t *x, const int16_t *v, const int16_t *b, const int16_t *c,
                                  const int8_t *z, const int16_t *initial, int8_t *y, int16_t *state, void *scratch,
                                  const ember_rv32_scan_params *p);
void ember_selective_scan_s8_s16_rv32(const int8_t *x, const int16_t *v, const int16_t *b, const int16_t *c,
                                      const int8_t *z, const int16_t *initial, int16_t *y, int16_t *state,
                                      void *scratch, const ember_rv32_scan_params *p);

#ifdef __cplusplus
}
#endif
#endif
