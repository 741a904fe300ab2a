/* The length of a vector of two int16 components.
 *
 * Private to the portable kernels.
 */
#ifndef EMBER_MAGNITUDE_H
#define EMBER_MAGNITUDE_H

#include "ember_norm_row.h"

/* sqrt(x * x + y * y) in steps of 2^-15, at most 46341 * 2^15. */
static inline int32_t ember_length(int32_t x, int32_t y)
{
    const uint32_t v = (uint32_t)(x * x) + (uint32_t)(y * y);
    if (v == 0)
        return 0;
    const int32_t s = ember_clz32(v) & ~1;
    return (int32_t)((ember_newton_root(v << s) << 15) >> (s / 2));
}

#endif
