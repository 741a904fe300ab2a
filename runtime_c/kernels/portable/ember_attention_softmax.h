/* What the q.attention kernels of int8 and of int16 share: scores to weights, and how their total divides.
 *
 * Private to the portable kernels. The compiler proved that the total of the weights is below 2^24.
 */
#ifndef EMBER_ATTENTION_SOFTMAX_H
#define EMBER_ATTENTION_SOFTMAX_H

#include <stddef.h>

#include "ember_attention.h"
#include "ember_math.h"

typedef struct {
    int32_t m;
    int32_t shift; /* of the weighted sum before it is multiplied */
} ember_attention_scale;

/* Scores to weights in place: table[largest - s[j]], 0 for masked keys; returns their sum. */
static inline uint32_t ember_attention_softmax(int16_t *s, int32_t largest, const uint8_t *mask, int32_t keys,
                                               const ember_attention_params *p)
{
    uint32_t total = 0;
    for (int32_t j = 0; j < keys; j++) {
        const int32_t behind = ember_min(largest - s[j], p->table_size - 1);
        const int32_t e = mask == NULL || mask[j] ? p->table[behind] : 0;
        s[j] = (int16_t)e;
        total += (uint32_t)e;
    }
    return total;
}

/* How a weighted sum becomes an output: one division a row. A total of 0 gives the zero point. */
static inline ember_attention_scale ember_attention_scale_of(uint32_t total, const ember_attention_params *p)
{
    ember_attention_scale scale = {0, 0};
    if (total != 0) {
        const int32_t leading = ember_clz32(total);
        const uint32_t inverse = p->c_out / ((total << leading) >> 16);
        scale.m = (int32_t)(inverse << (p->shift_out > 0 ? p->shift_out : 0));
        scale.shift = leading - 8 + (p->shift_out < 0 ? p->shift_out : 0);
    }
    return scale;
}

#endif
