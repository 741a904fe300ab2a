/* q.matmul, int8 x, int16 y, on packed weights: dual-column words made in scratch. */
#define EMBER_PACKED_ROW ember_dual_matmul_row
#define EMBER_PACKED_ROWS ember_dual_matmul
#include "ember_packed_dual.h"

void ember_packed_matmul_s8_s16_armv7em(const int8_t *x, int16_t *y, void *scratch, const ember_packed_dual_params *p)
{
    ember_packed_dual_s16(x, y, scratch, p);
}
