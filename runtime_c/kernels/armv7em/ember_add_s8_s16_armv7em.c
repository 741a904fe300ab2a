/* q.add, int8 x, int8 y, int16 z, of one shape: ember_sum.h, 5.5 instructions an element. Measured 5.69. */
#include "ember_sum.h"

#define FOUR EMBER_SUM_FOUR(EMBER_SUM_BYTES, EMBER_SUM_OF_BYTES, EMBER_SUM_BYTES, EMBER_SUM_OF_BYTES, EMBER_SUM_TO_S16)

void ember_add_s8_s16_armv7em(const int8_t *x, const int8_t *y, int16_t *z, const ember_sum_params *p)
{
    int32_t left = p->count;
#if EMBER_HAS_ARMV7EM
    const int32_t m1 = p->m1, m2 = p->m2, c = p->c;
    EMBER_SUM_LOOP(FOUR);
#endif
    for (; left > 0; left--)
        *z++ = ember_clamp_s16(ember_sum_one(*x++, *y++, p));
}
