/* q.attention of int8 q, k and v: K and V widened to pairs, sums of 32 bits; see ember_attention_walk.h.
 *
 * Measured on Cortex-M4, softmax included, a MAC: 0.913 at (64,64,64), 1.226 at (4,128,256).
 */
#include "ember_attention_armv7em.h"

typedef int8_t element;
enum { BITS = 8 };

static int32_t *pack_rows(const int8_t *x, const int8_t *y, int32_t k, int32_t *out)
{
    return ember_pair_rows(x, y, k, 0, out);
}

static void pack_columns(const int8_t *v, int32_t stride, int32_t k, int32_t columns, int32_t *out)
{
    ember_pair_columns(v, stride, k, columns, 1, 0, out);
}

static void run_scores(ember_pair_block *block, int32_t k, const ember_attention_params *p)
{
    (void)p;
    ember_pair_enter(block, k, EMBER_PAIR_SCORE);
    ember_pair_2x2(block);
}

static void run_mix(ember_pair_block *block, int32_t k, int32_t size)
{
    const uint32_t shifted = (block->shift0 | block->shift1) != 0;
    ember_pair_enter(block, k, (shifted ? EMBER_PAIR_SHIFT_S8 : EMBER_PAIR_S8) + (uint32_t)(size == 2));
    ember_pair_2x2(block);
}

#define weigh_scores ember_attention_exp
#include "ember_attention_walk.h"

void ember_attention_heads(const int8_t *q, const int8_t *k, const int8_t *v, const uint8_t *mask, uint8_t *y,
                           int32_t *scratch, const ember_attention_params *p, int32_t size)
{
    all_heads(q, k, v, mask, y, scratch, p, size);
}
