/* q.layer_norm, int16 x, int16 y: two passes a row; y may be x. gamma holds gamma and beta in turn, see EMBER_NORM_WIDE.
 *
 * First pass: ember_norm_sums_s16.h, 1.5 instructions an element; second pass: 7 each; about 100 a row.
 * Measured on Cortex-M4 at 128 x 128: 9.72.
 */
#include "ember_norm_sums_s16.h"

#define FOUR                                                                                                           \
    "ldr r10, [%[x]], #4\n\t" EMBER_NORM_FOUR_WIDE("sxth r4, r10\n\t", "asr r4, r10, #16\n\t",                         \
                                                   "ldr r10, [%[x]], #4\n\tsxth r4, r10\n\t", "asr r4, r10, #16\n\t")

void ember_layer_norm_s16_armv7em(const int16_t *x, int16_t *y, const ember_layer_norm_params *p)
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
            *y++ = ember_norm_one_wide(*x++, i, &row, gb);
    }
}
