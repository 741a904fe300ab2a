/* q.matmul, int16 x, int8 y, on RV32IM: four rows by four columns, see ember_rv32_matmul_s16.c.
 *
 * Measured at 64,128,128: 2.84 a MAC.
 */
#include "ember_rv32_matmul.h"

void ember_matmul_s16_s8_rv32(const int16_t *x, int8_t *y, void *scratch, const ember_rv32_matmul_params *restrict p)
{
    ember_rv32_matmul_s16(x, y, 0, scratch, p);
}
