/* q.requantize, int16 x, int16 y: see ember_mve_rescale.h. Measured at 128 x 128: 2.00 an element. */
#include "ember_mve.h"

#if EMBER_HAS_MVE

#include "ember_mve_rescale.h"

void ember_requantize_s16_mve(const int16_t *x, int16_t *y, const ember_requantize_params *restrict p)
{
    ember_mve_rescale((const int8_t *)x, 2, (int8_t *)y, 2, p);
}

#else

void ember_requantize_s16_mve(const int16_t *x, int16_t *y, const ember_requantize_params *restrict p)
{
    ember_requantize_s16(x, y, p);
}

#endif
