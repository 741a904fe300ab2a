/* q.attention of int8 q, k and v: scores and weighted sums on packed K and V, see ember_mve_attend.h. */
#include "ember_mve_attention.h"

#if EMBER_HAS_MVE

#include "ember_mve_narrow.h"

enum { BITS = 8 };

static void pack_kv(const ember_mve_attention *at)
{
    ember_mve_pack_kv(at);
}

static void sum_scores(ember_mve_attention *at, int32_t padded)
{
    const ember_attention_params *p = at->p;
    const int8_t *q = (const int8_t *)at->q + p->q_offset + at->head * p->head_dim;
    ember_mve_block block;
    ember_mve_set_k(&block, p->head_dim);
    block.row0 = q + (at->batch * p->q_rows + at->row) * p->q_stride;
    block.row1 = q + (at->batch * p->q_rows + at->row + at->rows - 1) * p->q_stride;
    block.weights = at->keys;
    block.sums = at->sums;
    block.sums_end = at->sums + 2 * padded;
    ember_mve_2x4_s8(&block);
    if (p->shift_score != 0)
        ember_mve_shift_sums(at->sums, 2 * padded, p->shift_score);
}

static void sum_values(ember_mve_attention *at, int32_t padded)
{
    ember_mve_block block;
    block.row0 = at->weights;
    block.row1 = at->weights + (at->rows - 1) * at->padded;
    block.weights = at->values;
    block.sums = at->sums;
    block.sums_end = at->sums + 8 * ((at->p->head_dim + 3) >> 2);
    block.loops = padded >> 5;
    block.rest = padded & 31;
    block.units = block.rest >> 3;
    block.tail = 0;
    block.skip = 4 * (at->padded - padded);
    ember_mve_2x4_s16s8(&block);
}

#include "ember_mve_attend.h"

int ember_mve_attend(ember_mve_attention *at)
{
    return attend(at);
}

#endif
