/* q.add, int16 x and y, int16 z: see ember_rv32_sum.h. Measured at 128 x 128: 12.6 an element. */
#include "ember_rv32_sum.h"

void ember_add_s16_rv32(const int16_t *x, const int16_t *y, int16_t *z, const ember_add_params *restrict p)
{
    ember_rv32_add(x, 1, y, 1, z, 1, p);
}
