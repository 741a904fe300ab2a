/* q.matmul, int16 x, int8 y: pairs of int16 (ember_wide.h), then a table where there is one.
 *
 * Measured on Cortex-M4 at 64,128,128: 0.965 a MAC.
 */
#include "ember_dual_table.h"
#include "ember_wide.h"

void ember_matmul_s16_s8_armv7em(const int16_t *x, int8_t *y, void *scratch, const ember_wide_params *p)
{
    ember_wide_matmul(x, (uint8_t *)y, scratch, p, 1);
    if (p->table != NULL)
        ember_dual_table_s8(y, p->table, p->rows * p->n);
}
