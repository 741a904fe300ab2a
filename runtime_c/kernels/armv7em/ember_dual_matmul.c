/* Several rows of a q.matmul on dual-column weights, for Cortex-M4 and M33: ember_dual_rows.h. */
#include "ember_dual.h"

enum { UNIT3 = 3, BODY3 = 21, SIZE3 = 100, SINGLE3 = 36 };

/* Three or two rows on the columns of stream .. stream_end. */
static void ember_dual_run(const ember_dual_block *block, int32_t height)
{
    if (height == 3)
        ember_dual_3x2(block);
    else
        ember_dual_2x2(block);
}

#include "ember_dual_rows.h"

void ember_dual_matmul(const int8_t *x, uint8_t *y, int32_t stride, int32_t *scratch, const ember_dual_params *p,
                       int32_t size)
{
    ember_dual_rows(x, y, stride, scratch, p, size);
}
