/* q.layer_norm, int8 x, int8 y: two passes a row; y may be x. gamma holds gamma and beta in turn, out_shift is 8.
 *
 * First pass: SXTB16 splits four elements, SMLAD adds them and their squares, 1.75 instructions each.
 * Second pass: ember_norm_armv7em.h, 6.75 instructions each; about 100 a row. Measured on Cortex-M4 at 128 x 128:
 * 9.56.
 */
#include "ember_norm_sums_s8.h"

#define FOUR                                                                                                           \
    "ldr r10, [%[x]], #4\n\t" EMBER_NORM_FOUR("sxtb r4, r10\n\t", "sxtb r4, r10, ror #8\n\t",                          \
                                              "sxtb r4, r10, ror #16\n\t", "asr r4, r10, #24\n\t")

void ember_layer_norm_s8_armv7em(const int8_t *x, int8_t *y, const ember_layer_norm_params *p)
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
