/* q.table16: linear interpolation between 513 entries; any values; y may be x.
 *
 * Idea: t0 + (((t1 - t0) * f + 64) >> 7) is (t0 * (128 - f) + t1 * f + 64) >> 7. One LDR at any address brings t0 and t1 as
 * a pair, MLA makes the pair (128 - f, f) of f, SMLAD does the rest: 7 instructions an element, of which 14 make two;
 * measured on Cortex-M4 7.38.
 */
#include "ember_armv7em.h"

#if EMBER_HAS_ARMV7EM

#define INTERPOLATE(index, fraction)                                                                                   \
    "ldr " index ", [%[t], " index ", lsl #1]\n\t"                                                                     \
    "mla " fraction ", " fraction ", %[pair], %[one]\n\t"                                                              \
    "smlad " index ", " index ", " fraction ", %[half]\n\t"

#define TWO                                                                                                            \
    "ldr r4, [%[x]], #4\n\t"                                                                                           \
    "sbfx r5, r4, #7, #9\n\t"                                                                                          \
    "ubfx r6, r4, #0, #7\n\t" INTERPOLATE("r5", "r6") "ubfx r6, r4, #16, #7\n\t"                                       \
                                                      "asr r4, r4, #23\n\t" INTERPOLATE(                               \
                                                          "r4", "r6") "asr r5, r5, #7\n\t"                             \
                                                                      "pkhbt r5, r5, r4, lsl #9\n\t"                   \
                                                                      "str r5, [%[y]], #4\n\t"

#endif

void ember_table16_s16_armv7em(const int16_t *x, int16_t *y, const ember_table16_params *p)
{
    const int16_t *const t = p->table + 256;
    int32_t left = p->count;
#if EMBER_HAS_ARMV7EM
    for (; left >= 8; left -= 8)
        __asm__ volatile(TWO TWO TWO TWO
                         : [x] "+r"(x), [y] "+r"(y)
                         : [t] "r"(t), [pair] "r"(0xFFFF), [one] "r"(128), [half] "r"(64)
                         : "r4", "r5", "r6", "memory");
#endif
    for (; left > 0; left--, x++, y++) {
        const int16_t *at = t + (*x >> 7);
        *y = (int16_t)(at[0] + (((at[1] - at[0]) * (*x & 127) + 64) >> 7));
    }
}
