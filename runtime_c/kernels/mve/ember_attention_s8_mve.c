/* q.attention, int8 q, k, v and y: two query rows of a head at a time on packed K and V, see ember_mve_attention.h.
 *
 * Any values and strides; y may be q where that has no columns but its heads', and overlaps none else. v_stride <=
 * 9360, so that seven rows and 12 columns are within a gather's 16-bit offsets; |zero_point| <= 32640, as in
 * ember_matmul_s8_mve.c.
 * Per MAC at (64,64,64): predicted (0.109 + 0.219) / 2 + 13 / (8 * 64) + 2.1 / 128 + 1.6 / 128 = 0.22; measured 0.255:
 * blocks 0.195, softmax 0.016, outputs 0.011, packing 0.011, the rest for every pair of rows.
 */
#include "ember_mve.h"

#if EMBER_HAS_MVE

#include "ember_mve_attention.h"
#include "ember_mve_narrow.h"

static inline int32x4_t outputs(const int32_t *sums, int32_t shift, int32x4_t m)
{
    return vrmulhq_s32(vshlq_r_s32(vldrwq_s32(sums), shift), m);
}

static void store(const int32_t *sums, int8_t *y, int32_t n, int32_t factor, int32_t shift, int32_t zero_point)
{
    const int32x4_t m = vdupq_n_s32(factor);
    __asm__ volatile("wls lr, %[groups], 2f\n"
                     "1:\t" EMBER_MVE_MIX EMBER_MVE_HALVES "vqadd.s16 q4, q4, %[zero]\n\t"
                     "vqadd.s16 q5, q5, %[zero]\n\t"
                     "vqmovnb.s16 q4, q4\n\t"
                     "vqmovnt.s16 q4, q5\n\t"
                     "vstrb.8 q4, [%[y]], #16\n\t"
                     "le lr, 1b\n"
                     "2:"
                     : [sums] "+r"(sums), [y] "+r"(y)
                     : [groups] "r"(n >> 4), [shift] "r"(shift), [m] "w"(m), [zero] "r"(zero_point)
                     : "q4", "q5", "q6", "q7", "lr", "memory");
    n &= 15;
    for (; n > 0; n -= 4, sums += 8, y += 4) {
        const int32x4_t v = vaddq_n_s32(outputs(sums, shift, m), zero_point);
        const int32x4_t low = vmaxq_s32(v, vdupq_n_s32(INT8_MIN));
        vstrbq_p_s32(y, vminq_s32(low, vdupq_n_s32(INT8_MAX)), vctp32q((uint32_t)n));
    }
}

void ember_attention_s8_mve(const int8_t *q, const int8_t *k, const int8_t *v, const uint8_t *mask, int8_t *y,
                            void *scratch, const ember_attention_params *restrict p)
{
    ember_mve_attention at = ember_mve_attention_of(q, k, v, mask, scratch, p);
    while (ember_mve_attend(&at)) {
        int8_t *out = y + ember_mve_attention_out(&at);
        for (int32_t r = 0; r < at.rows; r++, out += p->heads * p->head_dim)
            store(at.sums + 4 * r, out, p->head_dim, at.m[r], at.shift[r], p->zero_point);
    }
}

#else

void ember_attention_s8_mve(const int8_t *q, const int8_t *k, const int8_t *v, const uint8_t *mask, int8_t *y,
                            void *scratch, const ember_attention_params *restrict p)
{
    ember_attention_s8(q, k, v, mask, y, scratch, p);
}

#endif
