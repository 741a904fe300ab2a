/* q.batch_matmul, int8 a, int8 b, int8 y: pairs of int16, two rows by two columns, see ember_pair_matmul.c.
 *
 * Measured on Cortex-M4 at 64,64,64, packing included: QK 0.754, PV 0.762 a MAC.
 */
#include "ember_pair_matmul.h"

void ember_batch_matmul_s8_armv7em(const int8_t *a, const int8_t *b, int8_t *y, void *scratch,
                                   const ember_batch_matmul_params *p)
{
    ember_pair_matmul(a, 1, b, (uint8_t *)y, 1, scratch, p);
}
