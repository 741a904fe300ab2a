/* q.matmul, int8 x, int8 y, on RV32IM: two rows in one word, two products in one multiplication.
 *
 * Idea, registers and preconditions: ember_rv32_matmul.c, ember_rv32_sums_4x4.c. Measured instructions per MAC (gcc 12,
 * -O2): 128,128,128 2.40; 128,512,128 2.26; 64,64,64 2.61; 100,80,160 2.50; 1,256,1024 3.29.
 */
#include "ember_rv32_matmul.h"

void ember_matmul_s8_rv32(const int8_t *x, int8_t *y, void *scratch, const ember_rv32_matmul_params *restrict p)
{
    ember_rv32_matmul(x, y, 0, scratch, p);
}
