/* q.attention of int16: K and V as pairs, sums of 64 bits, see ember_attention_walk.h and ember_pair_s64.h.
 *
 * head_dim even, shift_score not to the left; y may be q where that has no columns but its heads'.
 * Measured on Cortex-M4, softmax and packing included, a MAC: 1.100 at (64,64,64).
 */
#include "ember_attention_armv7em.h"
#include "ember_pair_s64.h"

typedef int16_t element;
enum { BITS = 16 };

static int32_t *pack_rows(const int16_t *x, const int16_t *y, int32_t k, int32_t *out)
{
    return ember_pair_copy_rows(x, y, k, out);
}

/* An even number of columns of k rows, two at a time. */
static void pack_columns(const int16_t *v, int32_t stride, int32_t k, int32_t columns, int32_t *out)
{
    const int32_t whole = k & ~3;
    for (int32_t c = 0; c < columns; c += 2, v += 2) {
        out = ember_pair_copy_columns(v, stride, whole >> 2, out);
        if (whole == k)
            continue;
        for (int32_t j = whole; j < whole + 4; j += 2, out += 2) {
            for (int32_t i = 0; i < 2; i++) {
                const int32_t low = j < k ? v[j * stride + i] : 0;
                const int32_t high = j + 1 < k ? v[(j + 1) * stride + i] : 0;
                out[i] = ember_pair_of(low, high);
            }
        }
    }
}

static void run_scores(ember_pair_block *block, int32_t k, const ember_attention_params *p)
{
    block->shift0 = block->shift1 = -p->shift_score;
    ember_pair_enter_s64(block, k, EMBER_PAIR_SCORE);
    ember_pair_2x2_s64(block);
}

static void run_mix(ember_pair_block *block, int32_t k, int32_t size)
{
    (void)size;
    ember_pair_enter_s64(block, k, EMBER_PAIR_S16);
    ember_pair_2x2_s64(block);
}

#define weigh_scores ember_attention_exp
#include "ember_attention_walk.h"

void ember_attention_s16_armv7em(const int16_t *q, const int16_t *k, const int16_t *v, const uint8_t *mask, int16_t *y,
                                 void *scratch, const ember_attention_params *p)
{
    all_heads(q, k, v, mask, (uint8_t *)y, scratch, p, 2);
}
