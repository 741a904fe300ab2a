/* From the sums of the block kernels to int8 results of q.matmul, and what follows them: a table or a clamp.
 *
 * Private to the Helium kernels.
 */
#ifndef EMBER_MVE_FINISH_S8_H
#define EMBER_MVE_FINISH_S8_H

#include <stddef.h>

#include "ember_mve_narrow.h"

#define EMBER_MVE_BYTES(Y)                                                                                             \
    EMBER_MVE_HALVES                                                                                                   \
    "vqadd.s16 q4, q4, %[zero]\n\t"                                                                                    \
    "vqadd.s16 q5, q5, %[zero]\n\t"                                                                                    \
    "vqmovnb.s16 q4, q4\n\t"                                                                                           \
    "vqmovnt.s16 q4, q5\n\t"                                                                                           \
    "vstrb.8 q4, [%[" Y "]], #16\n\t"

/* `columns` outputs of two rows, or of one where second is NULL. */
static inline void ember_mve_finish_s8(const int32_t *sums, const int32_t *m, int8_t *y, int8_t *second,
                                       int32_t columns, int32_t zero_point)
{
    const int32_t groups = columns >> 4;
    const int32_t step = second != NULL ? 8 : 4;
    if (second != NULL)
        __asm__ volatile("wls lr, %[groups], 2f\n"
                         "1:\t" EMBER_MVE_LOAD_M EMBER_MVE_SCALE_0 EMBER_MVE_BYTES("y")
                             EMBER_MVE_SCALE_1 EMBER_MVE_BYTES("second") "le lr, 1b\n"
                                                                         "2:"
                         : [sums] "+r"(sums), [m] "+r"(m), [y] "+r"(y), [second] "+r"(second)
                         : [groups] "r"(groups), [zero] "r"(zero_point)
                         : EMBER_MVE_CLOBBER_VECTORS);
    else
        __asm__ volatile("wls lr, %[groups], 2f\n"
                         "1:\t" EMBER_MVE_LOAD_M EMBER_MVE_SCALE_ONLY EMBER_MVE_BYTES("y") "le lr, 1b\n"
                                                                                           "2:"
                         : [sums] "+r"(sums), [m] "+r"(m), [y] "+r"(y)
                         : [groups] "r"(groups), [zero] "r"(zero_point)
                         : EMBER_MVE_CLOBBER_VECTORS);
    for (int32_t left = columns & 15; left > 0; left -= 4) {
        const mve_pred16_t inside = vctp32q((uint32_t)left);
        vstrbq_p_s32(y, ember_mve_last(sums, m, zero_point, INT8_MIN, INT8_MAX), inside);
        y += 4;
        if (second != NULL) {
            vstrbq_p_s32(second, ember_mve_last(sums + 4, m, zero_point, INT8_MIN, INT8_MAX), inside);
            second += 4;
        }
        sums += step;
        m += 4;
    }
}

static inline void ember_mve_look_up_s8(int8_t *y, int32_t count, const int8_t *table)
{
    for (; count > 0; count -= 16, y += 16) {
        const mve_pred16_t inside = vctp8q((uint32_t)count);
        const uint8x16_t v = vldrbq_z_u8((const uint8_t *)y, inside);
        vstrbq_p_s8(y, vldrbq_gather_offset_z_s8(table, v, inside), inside);
    }
}

static inline void ember_mve_clip_s8(int8_t *y, int32_t count, int32_t lo, int32_t hi)
{
    const int8x16_t least = vdupq_n_s8((int8_t)lo);
    const int8x16_t most = vdupq_n_s8((int8_t)hi);
    for (; count > 0; count -= 16, y += 16) {
        const mve_pred16_t inside = vctp8q((uint32_t)count);
        vstrbq_p_s8(y, vminq_s8(vmaxq_s8(vldrbq_z_s8(y, inside), least), most), inside);
    }
}

#endif
