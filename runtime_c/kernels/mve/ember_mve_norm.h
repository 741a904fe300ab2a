/* q.layer_norm on Helium, for every pair of element types: the definition's 32-bit lanes, sixteen elements at a time.
 *
 * Pass 1: VADDVA and VMLALDAVA (VMLADAVA for int8) sum eight or sixteen elements each. Pass 2: VMLAS is x * scale -
 * offset, VRMULH both rounding multiplications. VLD2 (int16) or VMOVLB/T (int8) part even from odd elements, widening
 * parts them again, and two steps of narrowing, or one and VST2, put the results back in order; so gamma and beta come
 * in vectors of elements 0 4 8 12, 2 6 10 14, 1 5 9 13, 3 7 11 15. What n % 16 leaves is in order, four at a time.
 * Preconditions: out_shift <= 8 for int8 y: saturating to int16 before that shift then changes no result.
 * Per element: 0.4 for pass 1, (2 + 4 * 7 + 9) / 16 = 2.4 for pass 2 (int16 y 2.6), and about 110 a row.
 *
 * Private to the Helium kernels.
 */
#ifndef EMBER_MVE_NORM_H
#define EMBER_MVE_NORM_H

#include "ember_mve_rows.h"

typedef struct {
    int32_t scale;   /* n << a */
    int32_t inverse; /* R */
    int32_t offset;  /* -(S << a) */
    int32_t shift;   /* -out_shift */
} ember_mve_norm;

/* The row's constants from its sums, as the portable kernels get them. */
static inline ember_mve_norm ember_mve_norm_of(int32_t sum, uint64_t squares, const ember_mve_norm_params *p)
{
    const int64_t s = p->center ? sum : 0;
    uint64_t variance = (uint64_t)p->n * squares - (uint64_t)(s * s) + p->eps;
    uint32_t v;
    uint32_t root = 65535;
    int32_t a;
    int32_t z;
    ember_mve_norm row;
    if (variance == 0)
        variance = 1;
    z = ember_clz64(variance) & ~1;
    v = (uint32_t)((variance << z) >> 32);
    for (int i = 0; i < 4; i++)
        root = (root + v / root) >> 1;
    a = p->frac - 14 - (32 - z) / 2;
    row.scale = (int32_t)((uint32_t)p->n << (a > 0 ? a : 0));
    row.inverse = (int32_t)(((0x7FFFFFFFu / root) << 15) >> (a < 0 ? -a : 0));
    row.offset = (int32_t)(0 - ((uint32_t)s << (a > 0 ? a : 0)));
    row.shift = -p->out_shift;
    return row;
}

/* Sum and sum of squares of a row. */
EMBER_MVE_INLINE ember_mve_norm ember_mve_norm_row(const int8_t *x, int xb, const ember_mve_norm_params *p)
{
    int32_t sum = 0;
    int64_t squares = 0;
    int32_t n = p->n;
    if (xb == 1) {
        int32_t small = 0;
        for (; n >= 16; n -= 16, x += 16) {
            const int8x16_t v = vldrbq_s8(x);
            sum = vaddvaq_s8(sum, v);
            small = vmladavaq_s8(small, v, v);
        }
        squares = small;
    }
    for (; n >= 16; n -= 16, x += 16 * xb) {
        const int16x8_t v = ember_mve_load8(x, xb);
        const int16x8_t w = ember_mve_load8(x + 8 * xb, xb);
        sum = vaddvaq_s16(vaddvaq_s16(sum, v), w);
        squares = vmlaldavaq_s16(vmlaldavaq_s16(squares, v, v), w, w);
    }
    for (; n >= 8; n -= 8, x += 8 * xb) {
        const int16x8_t v = ember_mve_load8(x, xb);
        sum = vaddvaq_s16(sum, v);
        squares = vmlaldavaq_s16(squares, v, v);
    }
    if (n > 0) {
        const int16x8_t v = ember_mve_load8_some(x, xb, vctp16q((uint32_t)n));
        sum = vaddvaq_s16(sum, v);
        squares = vmlaldavaq_s16(squares, v, v);
    }
    return ember_mve_norm_of(sum, (uint64_t)squares, p);
}

/* Four elements; affine is four gammas, then four betas. */
EMBER_MVE_INLINE int32x4_t ember_mve_norm4(int32x4_t x, const ember_mve_norm *row, const int32_t *affine)
{
    const int32x4_t difference = vmlasq_n_s32(x, vdupq_n_s32(row->scale), row->offset);
    const int32x4_t t = vrmulhq_s32(difference, vdupq_n_s32(row->inverse));
    return vaddq_s32(vrmulhq_s32(t, vldrwq_s32(affine)), vldrwq_s32(affine + 4));
}

/* Assembly because gcc 12 keeps the vectors in memory: q0 q1 elements, q2 q3 of them in 32 bits, q4 q5 gamma and beta,
 * q6 the inverse, q7 the scale. Q: four of the elements in X, widened by MOVL. */
#define EMBER_MVE_NORM4(Q, MOVL, X, SHIFT)                                                                             \
    MOVL " " Q ", " X "\n\t"                                                                                           \
         "vmlas.s32 " Q ", q7, %[offset]\n\t"                                                                          \
         "vldrw.32 q4, [%[affine]], #16\n\t"                                                                           \
         "vrmulh.s32 " Q ", " Q ", q6\n\t"                                                                             \
         "vldrw.32 q5, [%[affine]], #16\n\t"                                                                           \
         "vrmulh.s32 " Q ", " Q ", q4\n\t"                                                                             \
         "vadd.i32 " Q ", " Q ", q5\n\t" SHIFT
#define EMBER_MVE_NORM8(X, SHIFT2, SHIFT3)                                                                             \
    EMBER_MVE_NORM4("q2", "vmovlb.s16", X, SHIFT2)                                                                     \
    EMBER_MVE_NORM4("q3", "vmovlt.s16", X, SHIFT3)                                                                     \
    "vqmovnb.s32 " X ", q2\n\t"                                                                                        \
    "vqmovnt.s32 " X ", q3\n\t"

#define EMBER_MVE_LOAD_s8                                                                                              \
    "vldrb.8 q1, [%[x]], #16\n\t"                                                                                      \
    "vmovlb.s8 q0, q1\n\t"                                                                                             \
    "vmovlt.s8 q1, q1\n\t"
#define EMBER_MVE_LOAD_s16                                                                                             \
    "vld20.16 {q0, q1}, [%[x]]\n\t"                                                                                    \
    "vld21.16 {q0, q1}, [%[x]]!\n\t"
#define EMBER_MVE_STORE_s8                                                                                             \
    EMBER_MVE_NORM8("q0", "", "")                                                                                      \
    EMBER_MVE_NORM8("q1", "", "")                                                                                      \
    "vshl.s16 q0, %[shift]\n\t"                                                                                        \
    "vshl.s16 q1, %[shift]\n\t"                                                                                        \
    "vqmovnb.s16 q0, q0\n\t"                                                                                           \
    "vqmovnt.s16 q0, q1\n\t"                                                                                           \
    "vstrb.8 q0, [%[y]], #16\n\t"
#define EMBER_MVE_STORE_s16                                                                                            \
    EMBER_MVE_NORM8("q0", "vshl.s32 q2, %[shift]\n\t", "vshl.s32 q3, %[shift]\n\t")                                    \
    EMBER_MVE_NORM8("q1", "vshl.s32 q2, %[shift]\n\t", "vshl.s32 q3, %[shift]\n\t")                                    \
    "vst20.16 {q0, q1}, [%[y]]\n\t"                                                                                    \
    "vst21.16 {q0, q1}, [%[y]]!\n\t"

/* n & ~15 elements. */
#define EMBER_MVE_NORM_BODY(LOAD, STORE)                                                                               \
    __asm__ volatile("vdup.32 q6, %[inverse]\n\t"                                                                      \
                     "vdup.32 q7, %[scale]\n\t"                                                                        \
                     "wls lr, %[groups], 2f\n"                                                                         \
                     "1:\t" LOAD STORE "le lr, 1b\n"                                                                   \
                     "2:"                                                                                              \
                     : [x] "+r"(x), [y] "+r"(y), [affine] "+r"(affine)                                                 \
                     : [groups] "r"(p->n >> 4), [offset] "r"(row.offset), [shift] "r"(row.shift),                      \
                       [scale] "r"(row.scale), [inverse] "r"(row.inverse)                                              \
                     : "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "lr", "memory")

EMBER_MVE_INLINE void ember_mve_layer_norm(const int8_t *x, int xb, int8_t *y, int yb, const ember_mve_norm_params *p)
{
    for (int32_t r = 0; r < p->rows; r++) {
        const ember_mve_norm row = ember_mve_norm_row(x, xb, p);
        const int32_t *affine = p->affine;
        if (xb == 1 && yb == 1)
            EMBER_MVE_NORM_BODY(EMBER_MVE_LOAD_s8, EMBER_MVE_STORE_s8);
        else if (xb == 1)
            EMBER_MVE_NORM_BODY(EMBER_MVE_LOAD_s8, EMBER_MVE_STORE_s16);
        else if (yb == 1)
            EMBER_MVE_NORM_BODY(EMBER_MVE_LOAD_s16, EMBER_MVE_STORE_s8);
        else
            EMBER_MVE_NORM_BODY(EMBER_MVE_LOAD_s16, EMBER_MVE_STORE_s16);
        for (int32_t n = p->n & 15; n > 0; n -= 4, affine += 8) {
            const int32_t some = ember_min(n, 4);
            const mve_pred16_t inside = vctp32q((uint32_t)some);
            const int32_t least = yb == 1 ? INT8_MIN : INT16_MIN;
            int32x4_t v = xb == 1 ? vldrbq_z_s32(x, inside) : vldrhq_z_s32((const int16_t *)(const void *)x, inside);
            v = vshlq_r_s32(ember_mve_norm4(v, &row, affine), row.shift);
            v = vminq_s32(vmaxq_s32(v, vdupq_n_s32(least)), vdupq_n_s32(~least));
            if (yb == 1)
                vstrbq_p_s32(y, v, inside);
            else
                vstrhq_p_s32((int16_t *)(void *)y, v, inside);
            x += some * xb;
            y += some * yb;
        }
    }
}

#endif
