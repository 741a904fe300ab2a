/* Some elements of one row of packed weights as int8.
 *
 * Private to the portable kernels. Eight codes at a time fill 2 to 4 whole bytes. The codebook times the group's gain is
 * made once a group: at most 16 products for 8 elements or more.
 */
#ifndef EMBER_UNPACK_H
#define EMBER_UNPACK_H

#include "ember_math.h"
#include "ember_packed.h"

/* out[i] = w[row, first + i], i < count; first is a multiple of 8. */
static inline void ember_unpack(const ember_packed *w, int32_t row, int32_t first, int32_t count, int8_t *out)
{
    const uint8_t *codes = w->codes + row * w->row_bytes + first / 8 * w->bits;
    const uint8_t *gains = w->gains + row * w->groups;
    const int32_t mask = (1 << w->bits) - 1;
    int8_t levels[16];
    int32_t group_end = first; /* where `levels` end to hold */
    for (int32_t k = first; k < first + count; k += 8) {
        if (k >= group_end) {
            const int32_t gain = gains[k / w->group];
            for (int32_t i = 0; i <= mask; i++)
                levels[i] = (int8_t)((w->codebook[i] * gain + 64) >> 7);
            group_end = (k / w->group + 1) * w->group;
        }
        uint32_t block = 0;
        for (int32_t i = 0; i < w->bits; i++)
            block |= (uint32_t)*codes++ << (8 * i);
        for (int32_t left = ember_min(8, first + count - k); left > 0; left--) {
            *out++ = levels[block & (uint32_t)mask];
            block >>= w->bits;
        }
    }
}

#endif
