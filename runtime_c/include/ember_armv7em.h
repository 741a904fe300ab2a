/* Kernels for Armv7E-M and Armv8-M Mainline with the DSP extension (Cortex-M4, M7, M33): the portable kernels' bits.
 *
 * All of them read and write words at any address: CCR.UNALIGN_TRP must be 0, as it is after reset. None needs a
 * floating point unit. On other cores the same functions are plain C, so that a build runs anywhere. The kernels along a
 * sequence are in ember_armv7em_sequence.h.
 */
#ifndef EMBER_ARMV7EM_H
#define EMBER_ARMV7EM_H

#include <stdint.h>

#include "ember_attention.h"
#include "ember_embed.h"
#include "ember_matmul.h"
#include "ember_norm.h"
#include "ember_packed.h"
#include "ember_table.h"

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
#define EMBER_HAS_ARMV7EM 1
#else
#define EMBER_HAS_ARMV7EM 0
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* q.matmul on weights packed in pairs of columns, see kernels/armv7em/ember_dual.h. */
typedef struct {
    const int32_t *stream; /* weights, biases and multipliers in the order of use; 4-byte aligned */
    const void *table;     /* NULL, or [256] elements of y's type, read at v + 128; the clamp to lo, hi included */
    int32_t rows;
    int32_t k;
    int32_t n;
    int32_t fold;  /* 1: a column's products may exceed 2^23 */
    int32_t shift; /* int16 y without a table: of the accumulator, >= 0; else 0 */
    int32_t zero_point;
    int32_t lo; /* int16 y without a table: clamp */
    int32_t hi;
} ember_dual_params;

/* x [rows, k], y [rows, n], rows >= 2; scratch 12 * ceil(k / 2) + 256 bytes, 16-byte aligned. */
void ember_matmul_s8_armv7em(const int8_t *x, int8_t *y, void *scratch, const ember_dual_params *p);
void ember_matmul_s8_s16_armv7em(const int8_t *x, int16_t *y, void *scratch, const ember_dual_params *p);

/* The same, scheduled for the two issue slots of Cortex-M7. */
void ember_matmul_s8_armv7em_m7(const int8_t *x, int8_t *y, void *scratch, const ember_dual_params *p);
void ember_matmul_s8_s16_armv7em_m7(const int8_t *x, int16_t *y, void *scratch, const ember_dual_params *p);

/* The same for one row; scratch 4 * ceil(k / 2) + 16 bytes. */
void ember_matmul_row_s8_armv7em(const int8_t *x, int8_t *y, void *scratch, const ember_dual_params *p);
void ember_matmul_row_s8_s16_armv7em(const int8_t *x, int16_t *y, void *scratch, const ember_dual_params *p);

/* q.matmul on packed weights (ember_packed.h), see kernels/armv7em/ember_packed_dual.h. */
typedef struct {
    const ember_packed *w;         /* [n, k] */
    const int32_t *bias;           /* [n] */
    const int32_t *m;              /* [n] */
    const ember_dual_params *dual; /* the rest; its stream is made */
} ember_packed_dual_params;

/* x [rows, k], y [rows, n]; scratch 28 * ceil(k / 2) + 320 bytes, 16-byte aligned. */
void ember_packed_matmul_s8_armv7em(const int8_t *x, int8_t *y, void *scratch, const ember_packed_dual_params *p);
void ember_packed_matmul_s8_s16_armv7em(const int8_t *x, int16_t *y, void *scratch, const ember_packed_dual_params *p);

/* The same, scheduled for the two issue slots of Cortex-M7. */
void ember_packed_matmul_s8_armv7em_m7(const int8_t *x, int8_t *y, void *scratch, const ember_packed_dual_params *p);
void ember_packed_matmul_s8_s16_armv7em_m7(const int8_t *x, int16_t *y, void *scratch,
                                           const ember_packed_dual_params *p);

/* q.matmul of int16 x on weights packed by two columns, see kernels/armv7em/ember_wide.h. */
typedef struct {
    const int32_t *stream; /* biases, weights and multipliers in the order of use; 4-byte aligned */
    const void *table;     /* as in ember_dual_params */
    int32_t rows;
    int32_t k;
    int32_t n;
    int32_t slice; /* of k that 32 bits hold: a multiple of 4, or at least k */
    int32_t shift; /* of the accumulator, to the right, 0 .. 31 */
    int32_t zero_point;
    int32_t lo; /* int16 y without a table: clamp */
    int32_t hi;
} ember_wide_params;

/* x [rows, k], y [rows, n]; scratch 4 K bytes, K being k padded to a multiple of 4, or of slice where that is less than
 * k; then 1536 more. 8-byte aligned. */
void ember_matmul_s16_armv7em(const int16_t *x, int16_t *y, void *scratch, const ember_wide_params *p);
void ember_matmul_s16_s8_armv7em(const int16_t *x, int8_t *y, void *scratch, const ember_wide_params *p);

/* q.batch_matmul, with za 0 for int16 a. Scratch, K being k padded to a multiple of 4: 4 K + 2 K * min(n padded to 2, 64)
 * bytes; for int16 a of more than 256 k 1536 bytes more. 8-byte aligned. */
void ember_batch_matmul_s8_armv7em(const int8_t *a, const int8_t *b, int8_t *y, void *scratch,
                                   const ember_batch_matmul_params *p);
void ember_batch_matmul_s8_s16_armv7em(const int8_t *a, const int8_t *b, int16_t *y, void *scratch,
                                       const ember_batch_matmul_params *p);
void ember_batch_matmul_s16_armv7em(const int16_t *a, const int8_t *b, int16_t *y, void *scratch,
                                    const ember_batch_matmul_params *p);
void ember_batch_matmul_s16_s8_armv7em(const int16_t *a, const int8_t *b, int8_t *y, void *scratch,
                                       const ember_batch_matmul_params *p);

/* As ember_attention_s8, with table reversed and shift_score 0 (int16: <= 0); scratch 4-byte aligned, for keys and
 * head_dim padded to multiples of 4: 2 * keys * head_dim + 2 * chunk * keys + 4 * keys + 4 * head_dim bytes, where chunk
 * is max(2, min(16, max(1024 / keys, head_dim / 8))) rounded down to even. */
void ember_attention_s8_armv7em(const int8_t *q, const int8_t *k, const int8_t *v, const uint8_t *mask, int8_t *y,
                                void *scratch, const ember_attention_params *p);
void ember_attention_s8_s16_armv7em(const int8_t *q, const int8_t *k, const int8_t *v, const uint8_t *mask, int16_t *y,
                                    void *scratch, const ember_attention_params *p);
void ember_attention_s16_armv7em(const int16_t *q, const int16_t *k, const int16_t *v, const uint8_t *mask, int16_t *y,
                                 void *scratch, const ember_attention_params *p);

/* As ember_layer_norm_s8; gains are gamma << (9 - out_shift) and (beta << (8 - out_shift)) + 128; out_shift is not read. */
void ember_layer_norm_s8_armv7em(const int8_t *x, int8_t *y, const ember_norm_gains_params *p);
void ember_layer_norm_s16_s8_armv7em(const int16_t *x, int8_t *y, const ember_norm_gains_params *p);

/* The same to int16: gamma << (9 - out_shift), and beta likewise with half of that factor added. */
void ember_layer_norm_s8_s16_armv7em(const int8_t *x, int16_t *y, const ember_norm_gains_params *p);
void ember_layer_norm_s16_armv7em(const int16_t *x, int16_t *y, const ember_norm_gains_params *p);

/* q.add of operands of one shape, frac 6: z = clamp((((x * m1) >> 16) + ((y * m2) >> 16) + c) >> 6) */
typedef struct {
    int32_t count;
    int32_t m1; /* the op's m1 << (16 - s1) */
    int32_t m2;
    int32_t c;
} ember_sum_params;

/* z may be x or y where that operand has z's type. */
void ember_add_s8_armv7em(const int8_t *x, const int8_t *y, int8_t *z, const ember_sum_params *p);
void ember_add_s8_s16_armv7em(const int8_t *x, const int8_t *y, int16_t *z, const ember_sum_params *p);
void ember_add_s16_armv7em(const int16_t *x, const int16_t *y, int16_t *z, const ember_sum_params *p);
void ember_add_s16_s8_armv7em(const int16_t *x, const int16_t *y, int8_t *z, const ember_sum_params *p);
void ember_add_s16s8_armv7em(const int16_t *x, const int8_t *y, int16_t *z, const ember_sum_params *p);
void ember_add_s16s8_s8_armv7em(const int16_t *x, const int8_t *y, int8_t *z, const ember_sum_params *p);

/* q.requantize, frac 6, in the same form: m2 is not used; z may be x where they have one type. */
void ember_requantize_s8_armv7em(const int8_t *x, int8_t *z, const ember_sum_params *p);
void ember_requantize_s8_s16_armv7em(const int8_t *x, int16_t *z, const ember_sum_params *p);
void ember_requantize_s16_armv7em(const int16_t *x, int16_t *z, const ember_sum_params *p);
void ember_requantize_s16_s8_armv7em(const int16_t *x, int8_t *z, const ember_sum_params *p);

/* q.mul of operands of one shape, shift 0; an int16 operand has zero point 0. */
typedef struct {
    int32_t count;
    int32_t zx;
    int32_t zy;
    int32_t m;
    int32_t zero_point;
} ember_product_params;

/* z may be x or y where that operand has z's type. */
void ember_mul_s8_armv7em(const int8_t *x, const int8_t *y, int8_t *z, const ember_product_params *p);
void ember_mul_s8_s16_armv7em(const int8_t *x, const int8_t *y, int16_t *z, const ember_product_params *p);
void ember_mul_s16s8_armv7em(const int16_t *x, const int8_t *y, int16_t *z, const ember_product_params *p);
void ember_mul_s16s8_s8_armv7em(const int16_t *x, const int8_t *y, int8_t *z, const ember_product_params *p);
void ember_mul_s16_armv7em(const int16_t *x, const int16_t *y, int16_t *z, const ember_product_params *p);
void ember_mul_s16_s8_armv7em(const int16_t *x, const int16_t *y, int8_t *z, const ember_product_params *p);

/* As ember_softmax_s8, with the table reversed; its first (last) entry is 1024 or more. */
void ember_softmax_s8_armv7em(const int8_t *x, int8_t *y, const ember_softmax_params *p);

/* As ember_table_s8 and ember_table_s8_s16. */
void ember_table_s8_armv7em(const int8_t *x, int8_t *y, const ember_table_params *p);
void ember_table_s8_s16_armv7em(const int8_t *x, int16_t *y, const ember_table_params *p);
void ember_table16_s16_armv7em(const int16_t *x, int16_t *y, const ember_table16_params *p);

/* As ember_embed_s8 and ember_embed_s16, with a multiplier a column. */
int ember_embed_s8_armv7em(const int32_t *const *ids, int8_t *y, const ember_embed_params *p);
int ember_embed_s16_armv7em(const int32_t *const *ids, int16_t *y, const ember_embed_params *p);

#ifdef __cplusplus
}
#endif
#endif
