/* q.matmul, int8 x, int16 y, two rows or more: dual-column weights (ember_dual.h), then a table or a clamp.
 *
 * With a table the int8 values go to the upper half of y first, and are read before they are overwritten.
 * Measured on Cortex-M4 at 64,128,128: 0.761 a MAC.
 */
#include "ember_dual_table.h"

void ember_matmul_s8_s16_armv7em(const int8_t *x, int16_t *y, void *scratch, const ember_dual_params *p)
{
    const int32_t count = p->rows * p->n;
    if (p->table != NULL) {
        int8_t *narrow = (int8_t *)y + count;
        ember_dual_matmul(x, (uint8_t *)narrow, p->n, scratch, p, 1);
        ember_dual_table_s16(narrow, y, p->table, count);
        return;
    }
    ember_dual_matmul(x, (uint8_t *)y, 2 * p->n, scratch, p, 2);
    if (p->lo > INT16_MIN || p->hi < INT16_MAX)
        for (int32_t i = 0; i < count; i++)
            y[i] = (int16_t)ember_clamp(y[i], p->lo, p->hi);
}
