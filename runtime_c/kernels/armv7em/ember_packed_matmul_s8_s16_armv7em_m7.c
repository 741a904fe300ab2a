/* q.matmul, int8 x, int16 y, on packed weights, for Cortex-M7: dual-column words made in scratch. */
#include "ember_dual_table.h"

static void ember_packed_run(const int8_t *x, uint8_t *y, int32_t stride, int32_t *scratch, const ember_dual_params *p,
                             int32_t size)
{
    if (p->rows == 1)
        ember_dual_matmul_row(x, y, scratch, p, size);
    else
        ember_dual_matmul_m7(x, y, stride, scratch, p, size);
}

#include "ember_packed_dual.h"

void ember_packed_matmul_s8_s16_armv7em_m7(const int8_t *x, int16_t *y, void *scratch,
                                           const ember_packed_dual_params *p)
{
    ember_packed_dual_s16(x, y, scratch, p);
}
