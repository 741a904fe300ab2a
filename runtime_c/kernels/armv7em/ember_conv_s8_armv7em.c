/* q.conv, int8 x, int8 y: tiles of windows (ember_conv_tile.h), each a q.matmul on dual-column weights.
 *
 * Measured on Cortex-M4, 16 x 16 x 16, 3 x 3, 32 filters: 0.859 a MAC.
 */
#include "ember_armv7em.h"
#include "ember_conv_tile.h"

void ember_conv_s8_armv7em(const int8_t *x, int8_t *y, void *scratch, const ember_conv_params *p)
{
    ember_dual_params rows = *(const ember_dual_params *)p->matmul;
    ember_conv_tile tile;
    ember_conv_start(&tile, scratch, p);
    while (ember_conv_next(&tile, x, y, 1, 1, p)) {
        rows.rows = tile.rows;
        ember_matmul_s8_armv7em((const int8_t *)tile.patches, (int8_t *)tile.out, scratch, &rows);
        ember_conv_store(&tile, y, 1, p);
    }
}
