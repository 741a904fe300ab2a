/* q.attention, int8 q, k and v, int16 y: as ember_attention_s8_mve, with any zero point.
 *
 * Measured at 64,64,64, softmax and packing included: 0.256 a MAC.
 */
#include "ember_mve.h"

#if EMBER_HAS_MVE

#include "ember_mve_attention.h"
#include "ember_mve_narrow.h"

static inline int32x4_t outputs(const int32_t *sums, int32_t shift, int32x4_t m, int32_t zero_point)
{
    return vaddq_n_s32(vrmulhq_s32(vshlq_r_s32(vldrwq_s32(sums), shift), m), zero_point);
}

static void store(const int32_t *sums, int16_t *y, int32_t n, int32_t factor, int32_t shift, int32_t zero)
{
    const int32x4_t m = vdupq_n_s32(factor);
    __asm__ volatile("wls lr, %[groups], 2f\n"
                     "1:\t" EMBER_MVE_MIX "vadd.i32 q4, q4, %[zero]\n\t"
                     "vadd.i32 q5, q5, %[zero]\n\t"
                     "vadd.i32 q6, q6, %[zero]\n\t"
                     "vadd.i32 q7, q7, %[zero]\n\t" EMBER_MVE_HALVES "vst20.16 {q4, q5}, [%[y]]\n\t"
                     "vst21.16 {q4, q5}, [%[y]]!\n\t"
                     "le lr, 1b\n"
                     "2:"
                     : [sums] "+r"(sums), [y] "+r"(y)
                     : [groups] "r"(n >> 4), [shift] "r"(shift), [m] "w"(m), [zero] "r"(zero)
                     : "q4", "q5", "q6", "q7", "lr", "memory");
    n &= 15;
    for (; n > 0; n -= 4, sums += 8, y += 4) {
        const int32x4_t low = vmaxq_s32(outputs(sums, shift, m, zero), vdupq_n_s32(INT16_MIN));
        vstrhq_p_s32(y, vminq_s32(low, vdupq_n_s32(INT16_MAX)), vctp32q((uint32_t)n));
    }
}

void ember_attention_s8_s16_mve(const int8_t *q, const int8_t *k, const int8_t *v, const uint8_t *mask, int16_t *y,
                                void *scratch, const ember_attention_params *restrict p)
{
    ember_mve_attention at = ember_mve_attention_of(q, k, v, mask, scratch, p);
    while (ember_mve_attend(&at)) {
        int16_t *out = y + ember_mve_attention_out(&at);
        for (int32_t r = 0; r < at.rows; r++, out += p->heads * p->head_dim)
            store(at.sums + 4 * r, out, p->head_dim, at.m[r], at.shift[r], p->zero_point);
    }
}

#else

void ember_attention_s8_s16_mve(const int8_t *q, const int8_t *k, const int8_t *v, const uint8_t *mask, int16_t *y,
                                void *scratch, const ember_attention_params *restrict p)
{
    ember_attention_s8_s16(q, k, v, mask, y, scratch, p);
}

#endif
