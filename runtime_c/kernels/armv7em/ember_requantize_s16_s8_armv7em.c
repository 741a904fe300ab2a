/* q.requantize, int16 x, int8 y: ember_sum.h, 3.5 instructions an element,
 * measured on Cortex-M4 3.69. */
#include "ember_sum.h"

#define FOUR EMBER_SUM_ONE_TERM(EMBER_SUM_HALVES, EMBER_SUM_OF_HALVES, EMBER_SUM_TO_S8)

void ember_requantize_s16_s8_armv7em(const int16_t *x, int8_t *z, const ember_sum_params *p)
{
    int32_t left = p->count;
#if EMBER_HAS_ARMV7EM
    const int32_t m1 = p->m1, c = p->c;
    EMBER_SUM_ONE_TERM_LOOP(FOUR);
#endif
    for (; left > 0; left--)
        *z++ = ember_clamp_s8(ember_sum_one(*x++, 0, p));
}
