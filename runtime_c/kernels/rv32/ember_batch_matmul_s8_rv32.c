/* q.batch_matmul, int8 a, int8 b, int8 y, on RV32IM: two rows in one word, two products in one multiplication.
 *
 * Idea and preconditions: ember_rv32_batch_matmul.c.
 */
#include "ember_rv32_matmul.h"

void ember_batch_matmul_s8_rv32(const int8_t *a, const int8_t *b, int8_t *y, void *scratch,
                                const ember_batch_matmul_params *restrict p)
{
    ember_rv32_batch_matmul(a, b, y, 0, scratch, p);
}
