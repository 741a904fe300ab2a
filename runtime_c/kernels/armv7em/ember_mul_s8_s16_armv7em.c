/* q.mul, int8 x, int8 y, int16 z, of one shape: ember_product.h, 5.5 instructions an element. Measured 5.69. */
#include "ember_product.h"

#define FOUR                                                                                                           \
    EMBER_PRODUCT_BYTES("%[x]", "r4", "r5", "%[zx]")                                                                   \
    EMBER_PRODUCT_BYTES("%[y]", "r6", "r8", "%[zy]")                                                                   \
    EMBER_PRODUCT_OF_BYTES_AND_BYTES EMBER_PRODUCT_SCALE EMBER_PRODUCT_TO_S16

void ember_mul_s8_s16_armv7em(const int8_t *x, const int8_t *y, int16_t *z, const ember_product_params *p)
{
    int32_t left = p->count;
#if EMBER_HAS_PRODUCT
    const int32_t m = p->m, zp = p->zero_point, zx = ember_product_pair(p->zx), zy = ember_product_pair(p->zy);
    EMBER_PRODUCT_LOOP(FOUR);
#endif
    for (; left > 0; left--)
        *z++ = ember_clamp_s16(ember_product_one(*x++, *y++, p));
}
