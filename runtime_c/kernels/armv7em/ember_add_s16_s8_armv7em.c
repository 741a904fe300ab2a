/* q.add, int16 x, int16 y, int8 z, of one shape: ember_sum.h, 5 instructions an element. Measured 5.19. */
#include "ember_sum.h"

#define FOUR                                                                                                           \
    EMBER_SUM_FOUR(EMBER_SUM_HALVES, EMBER_SUM_OF_HALVES, EMBER_SUM_HALVES, EMBER_SUM_OF_HALVES, EMBER_SUM_TO_S8)

void ember_add_s16_s8_armv7em(const int16_t *x, const int16_t *y, int8_t *z, const ember_sum_params *p)
{
    int32_t left = p->count;
#if EMBER_HAS_ARMV7EM
    const int32_t m1 = p->m1, m2 = p->m2, c = p->c;
    EMBER_SUM_LOOP(FOUR);
#endif
    for (; left > 0; left--)
        *z++ = ember_clamp_s8(ember_sum_one(*x++, *y++, p));
}
