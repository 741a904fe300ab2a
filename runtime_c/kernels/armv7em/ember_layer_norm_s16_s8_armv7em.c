/* q.layer_norm, int16 x, int8 y: two passes a row. gamma holds gamma and beta in turn, out_shift is 8.
 *
 * First pass: SMLAD adds two elements and SMLALD their squares to 64 bits, 1.5 instructions each.
 * Second pass: ember_norm_armv7em.h, 7 instructions each; about 100 a row. Measured on Cortex-M4 at 128 x 128:
 * 9.72.
 */
#include "ember_norm_sums_s16.h"

#define FOUR                                                                                                           \
    "ldr r10, [%[x]], #4\n\t" EMBER_NORM_FOUR("sxth r4, r10\n\t", "asr r4, r10, #16\n\t",                              \
                                              "ldr r10, [%[x]], #4\n\tsxth r4, r10\n\t", "asr r4, r10, #16\n\t")

void ember_layer_norm_s16_s8_armv7em(const int16_t *x, int8_t *y, const ember_layer_norm_params *p)
{
    for (int32_t r = 0; r < p->rows; r++) {
        const ember_norm_row row = scale_of(x, p);
        const int32_t *gb = p->gamma;
        int32_t left = p->n;
#if EMBER_NORM_IN_ASM
        for (; left >= 16; left -= 16)
            __asm__ volatile(FOUR FOUR FOUR FOUR EMBER_NORM_USES);
        for (; left >= 4; left -= 4)
            __asm__ volatile(FOUR EMBER_NORM_USES);
#endif
        for (int32_t i = 0; i < left; i++)
            *y++ = ember_norm_one(*x++, i, &row, gb);
    }
}
