/* q.layer_norm to int16 on Helium: the definition's 32-bit lanes, sixteen elements at a time.
 *
 * VMLAS is x * scale - offset, VRMULH both rounding multiplications. VLD2 (int16) or VMOVLB/T (int8) part even from odd
 * elements, widening parts them again, and narrowing and VST2 put the results back in order; so gamma and beta come in
 * vectors of elements 0 4 8 12, 2 6 10 14, 1 5 9 13, 3 7 11 15. What n % 16 leaves is in order, four at a time.
 * Per element: sums as ember_mve_norm_sums.h says, then (2 + 4 * 9 + 4 + 2 + 1) / 16 = 2.8, and about 110 a row.
 *
 * Private to the Helium kernels.
 */
#ifndef EMBER_MVE_NORM_WIDE_H
#define EMBER_MVE_NORM_WIDE_H

#include "ember_mve_norm_sums.h"

typedef struct {
    int32_t scale;        /* n << a */
    int32_t inverse;      /* R */
    int32_t minus_offset; /* -(S << a) */
    int32_t shift;        /* -out_shift */
} ember_mve_wide;

EMBER_MVE_INLINE ember_mve_wide ember_mve_wide_of(ember_norm_sums sums, const ember_norm_rows *p)
{
    const ember_norm_wide row = ember_norm_wide_of(sums, p);
    return (ember_mve_wide){(int32_t)row.scale, row.inverse, (int32_t)(0 - row.offset), -p->out_shift};
}

/* Assembly because gcc 12 keeps the vectors in memory: q0 q1 elements, q2 q3 of them in 32 bits, q4 q5 gamma and beta,
 * q6 the inverse, q7 the scale. Q: four of the elements in X, widened by MOVL. */
#define EMBER_MVE_WIDE4(Q, MOVL, X)                                                                                    \
    MOVL " " Q ", " X "\n\t"                                                                                           \
         "vmlas.s32 " Q ", q7, %[minus_offset]\n\t"                                                                    \
         "vldrw.32 q4, [%[gains]], #16\n\t"                                                                            \
         "vrmulh.s32 " Q ", " Q ", q6\n\t"                                                                             \
         "vldrw.32 q5, [%[gains]], #16\n\t"                                                                            \
         "vrmulh.s32 " Q ", " Q ", q4\n\t"                                                                             \
         "vadd.i32 " Q ", " Q ", q5\n\t"                                                                               \
         "vshl.s32 " Q ", %[shift]\n\t"
#define EMBER_MVE_WIDE8(X)                                                                                             \
    EMBER_MVE_WIDE4("q2", "vmovlb.s16", X)                                                                             \
    EMBER_MVE_WIDE4("q3", "vmovlt.s16", X)                                                                             \
    "vqmovnb.s32 " X ", q2\n\t"                                                                                        \
    "vqmovnt.s32 " X ", q3\n\t"

#define EMBER_MVE_WIDE_LOAD_S8                                                                                         \
    "vldrb.8 q1, [%[x]], #16\n\t"                                                                                      \
    "vmovlb.s8 q0, q1\n\t"                                                                                             \
    "vmovlt.s8 q1, q1\n\t"
#define EMBER_MVE_WIDE_LOAD_S16                                                                                        \
    "vld20.16 {q0, q1}, [%[x]]\n\t"                                                                                    \
    "vld21.16 {q0, q1}, [%[x]]!\n\t"

#define EMBER_MVE_WIDE_STORE                                                                                           \
    "vst20.16 {q0, q1}, [%[y]]\n\t"                                                                                    \
    "vst21.16 {q0, q1}, [%[y]]!\n\t"

/* n & ~15 elements, x, y, gains, row and p being the kernel's variables. */
#define EMBER_MVE_WIDE_SIXTEENS(LOAD)                                                                                  \
    __asm__ volatile("vdup.32 q6, %[inverse]\n\t"                                                                      \
                     "vdup.32 q7, %[scale]\n\t"                                                                        \
                     "wls lr, %[groups], 2f\n"                                                                         \
                     "1:\t" LOAD EMBER_MVE_WIDE8("q0") EMBER_MVE_WIDE8("q1") EMBER_MVE_WIDE_STORE "le lr, 1b\n"        \
                                                                                                  "2:"                 \
                     : [x] "+r"(x), [y] "+r"(y), [gains] "+r"(gains)                                                   \
                     : [groups] "r"(p->shape.n >> 4), [minus_offset] "r"(row.minus_offset), [shift] "r"(row.shift),    \
                       [scale] "r"(row.scale), [inverse] "r"(row.inverse)                                              \
                     : "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "lr", "memory")

/* Four elements in order; gains is four gammas, then four betas. */
EMBER_MVE_INLINE int32x4_t ember_mve_norm4(int32x4_t x, const ember_mve_wide *row, const int32_t *gains)
{
    const int32x4_t difference = vmlasq_n_s32(x, vdupq_n_s32(row->scale), row->minus_offset);
    const int32x4_t t = vrmulhq_s32(difference, vdupq_n_s32(row->inverse));
    return vshlq_r_s32(vaddq_s32(vrmulhq_s32(t, vldrwq_s32(gains)), vldrwq_s32(gains + 4)), row->shift);
}

/* What sixteens leave, of x in `bytes` each. */
EMBER_MVE_INLINE void ember_mve_wide_rest(const void *x, int bytes, int16_t *y, int32_t n, const ember_mve_wide *row,
                                          const int32_t *gains)
{
    const int8_t *from = x;
    for (; n > 0; n -= 4, from += 4 * bytes, y += 4, gains += 8) {
        const mve_pred16_t inside = vctp32q((uint32_t)n);
        int32x4_t v =
            bytes == 1 ? vldrbq_z_s32(from, inside) : vldrhq_z_s32((const int16_t *)(const void *)from, inside);
        v = ember_mve_norm4(v, row, gains);
        v = vminq_s32(vmaxq_s32(v, vdupq_n_s32(INT16_MIN)), vdupq_n_s32(INT16_MAX));
        vstrhq_p_s32(y, v, inside);
    }
}

#endif
