/* q.attention of int16: K and V as pairs, sums of 64 bits, see ember_attention_walk.h and ember_pair_s64.h.
 *
 * shift_score not to the left; y may be q where that has no columns but its heads'.
 * Measured on Cortex-M4, softmax and packing included, a MAC: 1.104 at (64,64,64).
 */
#include "ember_attention_armv7em.h"
#include "ember_pair_s64.h"

typedef int16_t element;
enum { BITS = 16 };

static int32_t *pack_rows(const int16_t *x, const int16_t *y, int32_t k, int32_t *out)
{
    return ember_pair_copy_rows(x, y, k, out);
}

/* Two columns of four rows or fewer, the second one the first where `next` is 0. */
static int32_t *pack_few(const int16_t *v, int32_t stride, int32_t k, int32_t next, int32_t *out)
{
    for (int32_t j = 0; j < 4; j += 2) {
        for (int32_t c = 0; c < 2; c++) {
            const int16_t *at = v + j * stride + c * next;
            *out++ = ember_pair_of(j < k ? at[0] : 0, j + 1 < k ? at[stride] : 0);
        }
    }
    return out;
}

/* Columns of k rows, two at a time; the last of an odd number beside itself. */
static void pack_columns(const int16_t *v, int32_t stride, int32_t k, int32_t columns, int32_t *out)
{
    for (; columns > 0; columns -= 2, v += 2) {
        const int32_t next = columns > 1;
        int32_t done = 0;
        if (next) {
            done = k & ~3;
            out = ember_pair_copy_columns(v, stride, done >> 2, out);
        }
        for (; done < k; done += 4)
            out = pack_few(v + done * stride, stride, k - done, next, out);
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
