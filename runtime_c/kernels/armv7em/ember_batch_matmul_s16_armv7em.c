/* q.batch_matmul, int16 a, int8 b, int16 y: pairs of int16, two rows by two columns, see ember_pair_matmul.c.
 *
 * Long sums are split (ember_pair_matmul_long.c): beyond k = 256 to 512, by b's zero point.
 * Measured on Cortex-M4 at 64,64,64, packing included: QK 0.774, PV 0.781 a MAC.
 */
#include "ember_pair_matmul.h"

void ember_batch_matmul_s16_armv7em(const int16_t *a, const int8_t *b, int16_t *y, void *scratch,
                                    const ember_batch_matmul_params *p)
{
    if (p->k <= ember_pair_slice(p))
        ember_pair_matmul(a, 2, b, (uint8_t *)y, 2, scratch, p);
    else
        ember_pair_matmul_long(a, b, (uint8_t *)y, 2, scratch, p);
}
