/* q.add, int16 x and y, int8 z: see ember_mve_sum.h. Measured at 128 x 128: 2.63 an element. */
#include "ember_mve.h"

#if EMBER_HAS_MVE

#include "ember_mve_sum.h"

void ember_add_s16_s8_mve(const int16_t *x, const int16_t *y, int8_t *z, const ember_add_params *restrict p)
{
    ember_mve_add((const int8_t *)x, 2, (const int8_t *)y, 2, z, 1, p);
}

#else

void ember_add_s16_s8_mve(const int16_t *x, const int16_t *y, int8_t *z, const ember_add_params *restrict p)
{
    ember_add_s16_s8(x, y, z, p);
}

#endif
