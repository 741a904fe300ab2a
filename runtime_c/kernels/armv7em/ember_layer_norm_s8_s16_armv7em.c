/* q.layer_norm, int8 x, int16 y: two passes a row. gamma holds gamma and beta in turn, see EMBER_NORM_WIDE.
 *
 * First pass: ember_norm_sums_s8.h, 1.75 instructions an element; second pass: 6.75 each; about 100 a row.
 */
#include "ember_norm_sums_s8.h"

#define FOUR                                                                                                           \
    "ldr r10, [%[x]], #4\n\t" EMBER_NORM_FOUR_WIDE("sxtb r4, r10\n\t", "sxtb r4, r10, ror #8\n\t",                     \
                                                   "sxtb r4, r10, ror #16\n\t", "asr r4, r10, #24\n\t")

void ember_layer_norm_s8_s16_armv7em(const int8_t *x, int16_t *y, const ember_layer_norm_params *p)
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
