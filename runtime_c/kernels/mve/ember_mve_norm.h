/* q.layer_norm to int8 on Helium: sixteen elements at a time, eight 16-bit lanes a vector.
 *
 * With the row's 32-bit inverse as 2^16 * high + low, low signed, (x * inverse) >> 16 is x * high + VMULH(x, low), and of
 * t, which 16 bits hold, everything may wrap: VMULH, VMLAS (x * high - mean), VADD. Then VQDMULH by gamma, VQADD of
 * beta, VQRSHL by out_shift, all of which saturate beyond what int8 keeps. VLD2 (int16) or VMOVLB/T (int8) part even from
 * odd elements and VQMOVNB/T joins them, so gamma and beta come in vectors of elements 0 2 .. 14 and 1 3 .. 15: gammas,
 * betas, gammas, betas. What n % 16 leaves is in order, eight at a time.
 * Registers: q0 q1 elements, q2 the product's high half, q3 q4 gamma and beta, q6 q7 high and low.
 * Per element: sums 0.22 (int16 0.44), then (3 + 2 * 8 + 3 + 1) / 16 = 1.44 (int16 x 1.38), and about 110 a row.
 *
 * Private to the Helium kernels.
 */
#ifndef EMBER_MVE_NORM_H
#define EMBER_MVE_NORM_H

#include "ember_mve_norm_sums.h"

typedef struct {
    int32_t high;
    int32_t low;
    int32_t minus_mean;
    int32_t shift; /* -out_shift */
} ember_mve_narrow;

EMBER_MVE_INLINE ember_mve_narrow ember_mve_narrow_of(ember_norm_sums sums, const ember_norm_rows *p)
{
    const ember_norm_narrow row = ember_norm_narrow_of(sums, p);
    return (ember_mve_narrow){(row.inverse + 0x8000) >> 16, (int16_t)row.inverse, -row.mean, -p->out_shift};
}

/* Assembly because gcc 12 keeps the vectors in memory. */
#define EMBER_MVE_NORM8(X)                                                                                             \
    "vmulh.s16 q2, " X ", q7\n\t"                                                                                      \
    "vldrh.16 q3, [%[gains]], #16\n\t"                                                                                 \
    "vmlas.s16 " X ", q6, %[minus_mean]\n\t"                                                                           \
    "vldrh.16 q4, [%[gains]], #16\n\t"                                                                                 \
    "vadd.i16 " X ", " X ", q2\n\t"                                                                                    \
    "vqdmulh.s16 " X ", " X ", q3\n\t"                                                                                 \
    "vqadd.s16 " X ", " X ", q4\n\t"                                                                                   \
    "vqrshl.s16 " X ", %[shift]\n\t"

#define EMBER_MVE_NORM_LOAD_S8                                                                                         \
    "vldrb.8 q1, [%[x]], #16\n\t"                                                                                      \
    "vmovlb.s8 q0, q1\n\t"                                                                                             \
    "vmovlt.s8 q1, q1\n\t"
#define EMBER_MVE_NORM_LOAD_S16                                                                                        \
    "vld20.16 {q0, q1}, [%[x]]\n\t"                                                                                    \
    "vld21.16 {q0, q1}, [%[x]]!\n\t"

#define EMBER_MVE_NORM_STORE                                                                                           \
    "vqmovnb.s16 q0, q0\n\t"                                                                                           \
    "vqmovnt.s16 q0, q1\n\t"                                                                                           \
    "vstrb.8 q0, [%[y]], #16\n\t"

/* n & ~15 elements, x, y, gains, row and p being the kernel's variables. */
#define EMBER_MVE_NORM_SIXTEENS(LOAD)                                                                                  \
    __asm__ volatile("vdup.16 q6, %[high]\n\t"                                                                         \
                     "vdup.16 q7, %[low]\n\t"                                                                          \
                     "wls lr, %[groups], 2f\n"                                                                         \
                     "1:\t" LOAD EMBER_MVE_NORM8("q0") EMBER_MVE_NORM8("q1") EMBER_MVE_NORM_STORE "le lr, 1b\n"        \
                                                                                                  "2:"                 \
                     : [x] "+r"(x), [y] "+r"(y), [gains] "+r"(gains)                                                   \
                     : [groups] "r"(p->shape.n >> 4), [high] "r"(row.high), [low] "r"(row.low),                        \
                       [minus_mean] "r"(row.minus_mean), [shift] "r"(row.shift)                                        \
                     : "q0", "q1", "q2", "q3", "q4", "q6", "q7", "lr", "memory")

/* Eight elements in order; gains is eight gammas, then eight betas. */
EMBER_MVE_INLINE int16x8_t ember_mve_norm8(int16x8_t x, const ember_mve_narrow *row, const int16_t *gains)
{
    const int16x8_t low = vmulhq_s16(x, vdupq_n_s16((int16_t)row->low));
    int16x8_t v = vmlasq_n_s16(x, vdupq_n_s16((int16_t)row->high), (int16_t)row->minus_mean);
    v = vqdmulhq_s16(vaddq_s16(v, low), vldrhq_s16(gains));
    return vqrshlq_n_s16(vqaddq_s16(v, vldrhq_s16(gains + 8)), row->shift);
}

/* What sixteens leave, of x in `bytes` each. */
EMBER_MVE_INLINE void ember_mve_norm_rest(const void *x, int bytes, int8_t *y, int32_t n, const ember_mve_narrow *row,
                                          const int16_t *gains)
{
    const int8_t *from = x;
    for (; n > 0; n -= 8, from += 8 * bytes, y += 8, gains += 16) {
        const mve_pred16_t inside = vctp16q((uint32_t)n);
        ember_mve_store8_some(y, 1, ember_mve_norm8(ember_mve_load8_some(from, bytes, inside), row, gains), inside);
    }
}

#endif
