/* q.batch_matmul, int8 a, int8 b, int16 y: pairs of int16, two rows by two columns, see ember_pair_matmul.c.
 *
 * Measured on Cortex-M4 at 64,64,64, packing included: QK 0.774, PV 0.782 a MAC.
 */
#include "ember_pair_matmul.h"

void ember_batch_matmul_s8_s16_armv7em(const int8_t *a, const int8_t *b, int16_t *y, void *scratch,
                                       const ember_batch_matmul_params *p)
{
    ember_pair_matmul(a, 1, b, (uint8_t *)y, 2, scratch, p);
}
