/* From the sums of the block kernels to int16 results of q.matmul, and what follows them: a table or a clamp.
 *
 * Private to the Helium kernels.
 */
#ifndef EMBER_MVE_FINISH_S16_H
#define EMBER_MVE_FINISH_S16_H

#include <stddef.h>

#include "ember_mve_narrow.h"

#define EMBER_MVE_ADD_ZERO                                                                                             \
    "vadd.i32 q4, q4, %[zero]\n\t"                                                                                     \
    "vadd.i32 q5, q5, %[zero]\n\t"                                                                                     \
    "vadd.i32 q6, q6, %[zero]\n\t"                                                                                     \
    "vadd.i32 q7, q7, %[zero]\n\t"
#define EMBER_MVE_STORE_HALVES(Y)                                                                                      \
    EMBER_MVE_HALVES                                                                                                   \
    "vst20.16 {q4, q5}, [%[" Y "]]\n\t"                                                                                \
    "vst21.16 {q4, q5}, [%[" Y "]]!\n\t"
#define EMBER_MVE_GROUPS(BODY) "wls lr, %[groups], 2f\n1:\t" EMBER_MVE_LOAD_M BODY "le lr, 1b\n2:"
#define EMBER_MVE_FINISH_HALVES(BODY)                                                                                  \
    __asm__ volatile(EMBER_MVE_GROUPS(BODY)                                                                            \
                     : [sums] "+r"(sums), [m] "+r"(m), [y] "+r"(y), [second] "+r"(second)                              \
                     : [groups] "r"(groups), [zero] "r"(p->zero_point)                                                 \
                     : EMBER_MVE_CLOBBER_VECTORS)

/* `columns` outputs of two rows, or of one where second is NULL. */
static inline void ember_mve_finish_s16(const int32_t *sums, const int32_t *m, int16_t *y, int16_t *second,
                                        int32_t columns, const ember_mve_matmul_params *p)
{
    const int32_t groups = columns >> 4;
    const int32_t step = second != NULL ? 8 : 4;
    if (second == NULL)
        EMBER_MVE_FINISH_HALVES(EMBER_MVE_SCALE_ONLY EMBER_MVE_ADD_ZERO EMBER_MVE_STORE_HALVES("y"));
    else if (p->zero_point == 0)
        EMBER_MVE_FINISH_HALVES(EMBER_MVE_SCALE_0 EMBER_MVE_STORE_HALVES("y")
                                    EMBER_MVE_SCALE_1 EMBER_MVE_STORE_HALVES("second"));
    else
        EMBER_MVE_FINISH_HALVES(EMBER_MVE_SCALE_0 EMBER_MVE_ADD_ZERO EMBER_MVE_STORE_HALVES("y")
                                    EMBER_MVE_SCALE_1 EMBER_MVE_ADD_ZERO EMBER_MVE_STORE_HALVES("second"));
    for (int32_t left = columns & 15; left > 0; left -= 4) {
        const mve_pred16_t inside = vctp32q((uint32_t)left);
        vstrhq_p_s32(y, ember_mve_last(sums, m, p->zero_point, INT16_MIN, INT16_MAX), inside);
        y += 4;
        if (second != NULL) {
            vstrhq_p_s32(second, ember_mve_last(sums + 4, m, p->zero_point, INT16_MIN, INT16_MAX), inside);
            second += 4;
        }
        sums += step;
        m += 4;
    }
}

/* The clamp, and the table where there is one. */
static inline void ember_mve_clip_s16(int16_t *y, int32_t count, const ember_mve_matmul_params *p)
{
    const int16x8_t least = vdupq_n_s16((int16_t)p->lo);
    const int16x8_t most = vdupq_n_s16((int16_t)p->hi);
    for (; count > 0; count -= 8, y += 8) {
        const mve_pred16_t inside = vctp16q((uint32_t)count);
        int16x8_t v = vminq_s16(vmaxq_s16(vldrhq_z_s16(y, inside), least), most);
        if (p->table != NULL) {
            const uint16x8_t index = vandq_u16(vreinterpretq_u16_s16(v), vdupq_n_u16(255));
            v = vldrhq_gather_shifted_offset_z_s16(p->table, index, inside);
        }
        vstrhq_p_s16(y, v, inside);
    }
}

#endif
