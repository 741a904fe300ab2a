/* q.add, int16 x and y, int8 z: see ember_rv32_sum.h. Measured at 128 x 128: 12.6 an element. */
#include "ember_rv32_sum.h"

void ember_add_s16_s8_rv32(const int16_t *x, const int16_t *y, int8_t *z, const ember_add_params *restrict p)
{
    ember_rv32_add(x, 1, y, 1, z, 0, p);
}
