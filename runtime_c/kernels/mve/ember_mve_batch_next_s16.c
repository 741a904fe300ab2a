/* The sums of two int16 rows of q.batch_matmul on a chunk of packed columns: see ember_mve_batch_matmul.h. */
#include "ember_mve_batch_matmul.h"

#if EMBER_HAS_MVE

/* -zb * sum of a row's k elements: ember_mve_2x4_s16s8 multiplies b as it is. */
static int32_t offset_of(const int16_t *a, const ember_batch_matmul_params *p)
{
    int32_t sum = 0, k = p->zb != 0 ? p->k : 0;
    for (; k >= 8; k -= 8, a += 8)
        sum = vaddvaq_s16(sum, vldrhq_s16(a));
    if (k > 0)
        sum = vaddvaq_s16(sum, vldrhq_z_s16(a, vctp16q((uint32_t)k)));
    return -p->zb * sum;
}

int ember_mve_batch_next_s16(ember_mve_batch *at)
{
    const ember_batch_matmul_params *p = at->p;
    ember_mve_block block;
    if (!ember_mve_batch_advance(at))
        return 0;
    if (at->row == 0)
        ember_mve_pack_columns(at->b + at->batch * p->b_batch + at->n * p->b_n, at->count, 8, at->packed, p);
    const int16_t *first = (const int16_t *)at->a + (at->batch * p->rows + at->row) * p->k;
    const int16_t *second = first + (at->rows - 1) * p->k;
    ember_mve_set_k_s16(&block, p->k);
    block.row0 = first;
    block.row1 = second;
    block.weights = at->packed;
    block.sums = at->sums;
    block.sums_end = at->sums + ((at->count + 3) >> 2) * 8;
    ember_mve_2x4_s16s8(&block);
    at->offset[0] = offset_of(first, p);
    at->offset[1] = offset_of(second, p);
    return 1;
}

#else

typedef char ember_mve_is_not_here; /* a file must hold something */

#endif
