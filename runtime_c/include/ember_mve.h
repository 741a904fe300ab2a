/* Kernels for Helium, the M-profile vector extension with integers (Cortex-M55, M85): the portable kernels' bits.
 *
 * Buffers need only the alignment of their elements. None needs a floating point unit; the vector registers do need
 * the coprocessor access that a start-up file grants (CPACR).
 */
#ifndef EMBER_MVE_H
#define EMBER_MVE_H

#include <stdint.h>

#include "ember_attention.h"
#include "ember_elementwise.h"
#include "ember_embed.h"
#include "ember_matmul.h"
#include "ember_norm.h"
#include "ember_table.h"

/* Where the compiler's target has no Helium the same functions are plain C: a build runs on every machine. */
#if defined(__ARM_FEATURE_MVE)
#define EMBER_HAS_MVE 1
#else
#define EMBER_HAS_MVE 0
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* q.matmul on weights packed in blocks of four columns, see kernels/mve/ember_mve_block.h. */
typedef struct {
    const int32_t *stream; /* biases and weights in the order of use; 4-byte aligned */
    const int32_t *m;      /* [n], columns in the stream's order, padded to a multiple of 8 */
    const void *table;     /* NULL, or [256] elements of y's type, read at v & 255; the clamp to lo, hi included */
    int32_t rows;
    int32_t k;
    int32_t n;
    int32_t shift; /* of the accumulator before it is multiplied, >= 0; int16 x: may be negative */
    int32_t zero_point;
    int32_t lo; /* clamp; without a table inside y's type, with one inside int8 */
    int32_t hi;
} ember_mve_matmul_params;

/* x [rows, k], y [rows, n]; scratch 1024 bytes, or 32 * ceil(n / 8) * min(rows, 2) where that is less, aligned to 4. */
void ember_matmul_s8_mve(const int8_t *x, int8_t *y, void *scratch, const ember_mve_matmul_params *p);
void ember_matmul_s8_s16_mve(const int8_t *x, int16_t *y, void *scratch, const ember_mve_matmul_params *p);

/* The same of int16 x whose sums fit 32 bits; vectors of eight weights, scratch as for two rows. */
void ember_matmul_s16_mve(const int16_t *x, int16_t *y, void *scratch, const ember_mve_matmul_params *p);
void ember_matmul_s16_s8_mve(const int16_t *x, int8_t *y, void *scratch, const ember_mve_matmul_params *p);

/* q.batch_matmul; |zero_point| <= 32640 for int8 y; int16 a: za 0, whole sums that fit 32 bits; n <= 9360 where b is not
 * transposed. Scratch, N being n padded to 4 and at most 64: 512 + N * (4 + k) + 16 bytes, aligned to 4. */
void ember_batch_matmul_s8_mve(const int8_t *a, const int8_t *b, int8_t *y, void *scratch,
                               const ember_batch_matmul_params *p);
void ember_batch_matmul_s8_s16_mve(const int8_t *a, const int8_t *b, int16_t *y, void *scratch,
                                   const ember_batch_matmul_params *p);
void ember_batch_matmul_s16_mve(const int16_t *a, const int8_t *b, int16_t *y, void *scratch,
                                const ember_batch_matmul_params *p);
void ember_batch_matmul_s16_s8_mve(const int16_t *a, const int8_t *b, int8_t *y, void *scratch,
                                   const ember_batch_matmul_params *p);

/* q.attention, as ember_attention_s8 and ember_attention_s8_s16; v_stride <= 9360, |zero_point| <= 32640 for int8 y.
 * Scratch, L being kv_rows padded to 8 and d head_dim: L / 4 * (16 + 4 d) + ceil(d / 4) * (16 + 4 L) + 4 L + 16
 * and 8 * max(L, d padded to 4), aligned to 4. */
void ember_attention_s8_mve(const int8_t *q, const int8_t *k, const int8_t *v, const uint8_t *mask, int8_t *y,
                            void *scratch, const ember_attention_params *p);
void ember_attention_s8_s16_mve(const int8_t *q, const int8_t *k, const int8_t *v, const uint8_t *mask, int16_t *y,
                                void *scratch, const ember_attention_params *p);
/* v_stride <= 9360; scratch 8 * max(L, d padded to 4) + 4 L + 2 d L bytes, aligned to 4. */
void ember_attention_s16_mve(const int16_t *q, const int16_t *k, const int16_t *v, const uint8_t *mask, int16_t *y,
                             void *scratch, const ember_attention_params *p);

/* q.add with 1 <= s1, s2 <= 16 and elements of a row side by side in x and y; otherwise as the portable kernels. */
/* near: 8 <= s1, s2 <= 15; m1, m2 > -2^15; c, c and the first term, and the sum fit 16 bits. */
void ember_add_near_s8_mve(const int8_t *x, const int8_t *y, int8_t *z, const ember_add_params *p);
void ember_add_s8_mve(const int8_t *x, const int8_t *y, int8_t *z, const ember_add_params *p);
void ember_add_s8_s16_mve(const int8_t *x, const int8_t *y, int16_t *z, const ember_add_params *p);
void ember_add_s16_mve(const int16_t *x, const int16_t *y, int16_t *z, const ember_add_params *p);
void ember_add_s16_s8_mve(const int16_t *x, const int16_t *y, int8_t *z, const ember_add_params *p);
void ember_add_s16s8_mve(const int16_t *x, const int8_t *y, int16_t *z, const ember_add_params *p);
void ember_add_s16s8_s8_mve(const int16_t *x, const int8_t *y, int8_t *z, const ember_add_params *p);

/* q.layer_norm to int8. */
typedef struct {
    const int16_t *gains; /* [n padded to 8][2] gammas and betas, by eights in turn, see kernels/mve/ember_mve_norm.h */
    ember_norm_rows shape;
} ember_mve_norm_params;

/* The same to int16. */
typedef struct {
    const int32_t *gains; /* [n padded to 4][2] by fours in turn, see kernels/mve/ember_mve_norm_wide.h */
    ember_norm_rows shape;
} ember_mve_norm_wide_params;

/* x and y [rows, n]; y may be x where they have one type. */
void ember_layer_norm_s8_mve(const int8_t *x, int8_t *y, const ember_mve_norm_params *p);
void ember_layer_norm_s16_s8_mve(const int16_t *x, int8_t *y, const ember_mve_norm_params *p);
void ember_layer_norm_s8_s16_mve(const int8_t *x, int16_t *y, const ember_mve_norm_wide_params *p);
void ember_layer_norm_s16_mve(const int16_t *x, int16_t *y, const ember_mve_norm_wide_params *p);

/* q.embed of at most four tables. */
int ember_embed_s8_mve(const int32_t *const *ids, int8_t *y, const ember_embed_params *p);
int ember_embed_s16_mve(const int32_t *const *ids, int16_t *y, const ember_embed_params *p);

/* q.softmax with table[0] >= 512, and q.table. */
void ember_softmax_s8_mve(const int8_t *x, int8_t *y, const ember_softmax_params *p);
void ember_table_s8_mve(const int8_t *x, int8_t *y, const ember_table_params *p);
void ember_table_s8_s16_mve(const int8_t *x, int16_t *y, const ember_table_params *p);

/* q.requantize with 1 <= s <= 16. */
void ember_requantize_s8_mve(const int8_t *x, int8_t *y, const ember_requantize_params *p);
void ember_requantize_s8_s16_mve(const int8_t *x, int16_t *y, const ember_requantize_params *p);
void ember_requantize_s16_s8_mve(const int16_t *x, int8_t *y, const ember_requantize_params *p);
void ember_requantize_s16_mve(const int16_t *x, int16_t *y, const ember_requantize_params *p);

/* q.mul with a zero point of 0 for int16 operands and elements of a row side by side in x and y. */
void ember_mul_s8_mve(const int8_t *x, const int8_t *y, int8_t *z, const ember_mul_params *p);
void ember_mul_s8_s16_mve(const int8_t *x, const int8_t *y, int16_t *z, const ember_mul_params *p);
void ember_mul_s16_mve(const int16_t *x, const int16_t *y, int16_t *z, const ember_mul_params *p);
void ember_mul_s16_s8_mve(const int16_t *x, const int16_t *y, int8_t *z, const ember_mul_params *p);
void ember_mul_s16s8_mve(const int16_t *x, const int8_t *y, int16_t *z, const ember_mul_params *p);
void ember_mul_s16s8_s8_mve(const int16_t *x, const int8_t *y, int8_t *z, const ember_mul_params *p);

/* q.mul of int8 whose multiplier has two factors: z = clamp(((((x * m1 + c1) * (y * m2 + c2)) >> 15) + c) >> frac) */
typedef struct {
    ember_broadcast shape; /* elements of a row side by side in x and y */
    int32_t m1;            /* 1 .. 127, m2 too */
    int32_t c1;            /* |x * m1 + c1| < 2^15, the second factor too */
    int32_t m2;
    int32_t c2;
    int32_t c; /* zero point and the half that rounds, inside 16 bits */
    int32_t frac;
} ember_mve_halves_params;

void ember_mul_halves_s8_mve(const int8_t *x, const int8_t *y, int8_t *z, const ember_mve_halves_params *p);

/* q.selective_scan with constants as kernels/mve/ember_mve_scan_run.h reads them. */
typedef struct {
    const uint32_t *softplus; /* [levels], Delta << 12 | logarithm */
    const int16_t *decay;
    const uint16_t *log_a; /* [states / 16][channels][at most 16 states, padded to 8], or [heads] where all share one */
    const int32_t *mu;     /* [channels], skip, my and mo likewise */
    const int32_t *skip;
    const int32_t *my;
    const int32_t *mo;
    const int16_t *gate; /* [256] by z's bits as unsigned; NULL: no gate */
    int32_t batches;
    int32_t steps;
    int32_t channels;
    int32_t heads;
    int32_t states;
    int32_t groups;
    int32_t levels;
    int32_t alike; /* 1: all states of a head share a decay */
    int32_t zx;
} ember_mve_scan_params;

/* As ember_selective_scan_s8 and ember_selective_scan_s8_s16; scratch 1024 bytes, 4-byte aligned. */
void ember_selective_scan_s8_mve(const int8_t *x, const int16_t *v, const int16_t *b, const int16_t *c, const int8_t *z,
                                 const int16_t *initial, int8_t *y, int16_t *state, void *scratch,
                                 const ember_mve_scan_params *p);
void ember_selective_scan_s8_s16_mve(const int8_t *x, const int16_t *v, const int16_t *b, const int16_t *c,
                                     const int8_t *z, const int16_t *initial, int16_t *y, int16_t *state, void *scratch,
                                     const ember_mve_scan_params *p);

/* q.causal_conv with taps packed as in kernels/mve/ember_mve_conv.h; 4-byte aligned. */
typedef struct {
    const int8_t *stream;
    const int8_t *table; /* [curves][hi + 1]; NULL: none */
    int32_t lo;          /* clamp, of the index where there is a table */
    int32_t hi;
    int32_t batches;
    int32_t rows;
    int32_t channels;
    int32_t taps;
    int32_t padded_taps;
    int32_t zx;
    int32_t shift;
    int32_t zero_point;
} ember_mve_conv_params;

/* As ember_causal_conv_s8; scratch 8 * padded_taps + channels bytes, aligned as pointers are. */
void ember_causal_conv_s8_mve(const int8_t *x, const int8_t *initial, int8_t *y, int8_t *tail, void *scratch,
                              const ember_mve_conv_params *p);

#ifdef __cplusplus
}
#endif
#endif
