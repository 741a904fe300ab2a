/* q.conv, int16 x, int16 y: tiles of windows (ember_conv_tile.h), each a q.matmul. */
#include "ember_conv_tile.h"
#include "ember_matmul.h"

void ember_conv_s16(const int16_t *x, int16_t *y, void *scratch, const ember_conv_params *p)
{
    ember_matmul_params rows = *(const ember_matmul_params *)p->matmul;
    ember_conv_tile tile;
    ember_conv_start(&tile, scratch, p);
    while (ember_conv_next(&tile, x, y, 2, 2, p)) {
        rows.rows = tile.rows;
        ember_matmul_s16((const int16_t *)(const void *)tile.patches, (int16_t *)(void *)tile.out, scratch, &rows);
        ember_conv_store(&tile, y, 2, p);
    }
}
