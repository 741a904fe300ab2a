/* From the weighted sums of a row of q.attention to int16 outputs. Private to the Helium kernels. */
#ifndef EMBER_MVE_ATTENTION_OUT_H
#define EMBER_MVE_ATTENTION_OUT_H

#include "ember_mve_narrow.h"

static inline int32x4_t ember_mve_attention_outputs(const int32_t *sums, int32_t shift, int32x4_t m, int32_t zero_point)
{
    return vaddq_n_s32(vrmulhq_s32(vshlq_r_s32(vldrwq_s32(sums), shift), m), zero_point);
}

/* n outputs of one row, its sums in the order of ember_mve_place. */
static inline void ember_mve_attention_store(const int32_t *sums, int16_t *y, int32_t n, int32_t factor, int32_t shift,
                                             int32_t zero)
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
        const int32x4_t low = vmaxq_s32(ember_mve_attention_outputs(sums, shift, m, zero), vdupq_n_s32(INT16_MIN));
        vstrhq_p_s32(y, vminq_s32(low, vdupq_n_s32(INT16_MAX)), vctp32q((uint32_t)n));
    }
}

#endif
