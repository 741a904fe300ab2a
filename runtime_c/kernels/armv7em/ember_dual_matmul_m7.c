/* Several rows of a q.matmul on dual-column weights, for Cortex-M7: ember_dual_rows.h. */
#include "ember_dual.h"

enum { UNIT3 = 2, BODY3 = 16, SIZE3 = 88, SINGLE3 = 48 };

/* Three or two rows on the columns of stream .. stream_end. */
static void ember_dual_run(const ember_dual_block *block, int32_t height)
{
    if (height == 3)
        ember_dual_3x2_m7(block);
    else
        ember_dual_2x2(block);
}

#include "ember_dual_rows.h"

void ember_dual_matmul_m7(const int8_t *x, uint8_t *y, int32_t stride, int32_t *scratch, const ember_dual_params *p,
                          int32_t size)
{
    ember_dual_rows(x, y, stride, scratch, p, size);
}
