/* q.matmul, int8 x, int8 y, on packed weights, for Cortex-M7: dual-column words made in scratch. */
#define EMBER_PACKED_ROW ember_dual_matmul_row
#define EMBER_PACKED_ROWS ember_dual_matmul_m7
#include "ember_packed_dual.h"

void ember_packed_matmul_s8_armv7em_m7(const int8_t *x, int8_t *y, void *scratch, const ember_packed_dual_params *p)
{
    ember_packed_dual_s8(x, y, scratch, p);
}
