/* q.mul, int16 x, int16 y, int8 z, of one shape: ember_product.h, 5 instructions an element. Measured 5.19. */
#include "ember_product.h"

#define FOUR                                                                                                           \
    EMBER_PRODUCT_HALVES("%[x]", "r4", "r5", "%[zx]")                                                                  \
    EMBER_PRODUCT_HALVES("%[y]", "r6", "r8", "%[zy]")                                                                  \
    EMBER_PRODUCT_OF_HALVES_AND_HALVES EMBER_PRODUCT_SCALE EMBER_PRODUCT_TO_S8

void ember_mul_s16_s8_armv7em(const int16_t *x, const int16_t *y, int8_t *z, const ember_product_params *p)
{
    int32_t left = p->count;
#if EMBER_HAS_PRODUCT
    const int32_t m = p->m, zp = p->zero_point, zx = ember_product_pair(p->zx), zy = ember_product_pair(p->zy);
    EMBER_PRODUCT_LOOP(FOUR);
#endif
    for (; left > 0; left--)
        *z++ = ember_clamp_s8(ember_product_one(*x++, *y++, p));
}
