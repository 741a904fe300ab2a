/* q.matmul, int8 x, int16 y, on RV32IM: two rows in one word, two products in one multiplication.
 *
 * Idea, registers and preconditions: ember_rv32_matmul.c, ember_rv32_sums_4x4.c. Measured instructions per MAC (gcc 12,
 * -O2): 64,128,128 2.40.
 */
#include "ember_rv32_matmul.h"

void ember_matmul_s8_s16_rv32(const int8_t *x, int16_t *y, void *scratch, const ember_rv32_matmul_params *restrict p)
{
    ember_rv32_matmul(x, y, 1, scratch, p);
}
