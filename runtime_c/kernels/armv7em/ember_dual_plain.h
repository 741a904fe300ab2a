/* What the dual-column kernels compute, in plain C: for cores without the instructions, and to read.
 *
 * A build for a Cortex-M4 so runs on any core, the host's sanitizers among them. Private to the kernels.
 */
#ifndef EMBER_DUAL_PLAIN_H
#define EMBER_DUAL_PLAIN_H

#include "ember_dual.h"

/* Both sums of one word: lane = w0 + 256 * w1, two lanes, times two values of a row. */
static inline void ember_dual_word(int32_t word, int32_t x, int32_t sums[2])
{
    for (int32_t lane = 0; lane < 2; lane++) {
        const int32_t both = (int16_t)((uint32_t)word >> 16 * lane);
        const int32_t value = (int16_t)((uint32_t)x >> 16 * lane);
        const int32_t low = (int8_t)(both & 0xFF);
        sums[0] += low * value;
        sums[1] += (both - low) / 256 * value;
    }
}

static inline void ember_dual_store(uint8_t *y, int32_t acc, int32_t m, const ember_dual_block *block)
{
    if (block->last == EMBER_DUAL_S8 || block->last == EMBER_DUAL_SUM_S8) {
        const int8_t v = ember_clamp_s8(ember_high_multiply(acc, m, block->zero_point));
        memcpy(y, &v, sizeof v);
    } else {
        const int32_t shifted = ember_shift_left(acc, block->shift);
        const int16_t v = ember_clamp_s16(ember_high_multiply(shifted, m, block->zero_point));
        memcpy(y, &v, sizeof v);
    }
}

/* `rows` by 2 * `words` columns, `words` of the stream to a pair. */
static inline void ember_dual_plain(const ember_dual_block *block, int32_t rows, int32_t words)
{
    const int32_t size = block->last == EMBER_DUAL_S8 || block->last == EMBER_DUAL_SUM_S8 ? 1 : 2;
    const int32_t pairs = (int32_t)(block->panel_end - block->panel) / rows;
    uint8_t *y = block->y;
    for (const int32_t *s = block->stream; s != block->stream_end; y += 2 * words * size) {
        const int32_t *w = s + words;
        const int32_t *odd = w + pairs * words;
        const int32_t *m = odd + words;
        for (int32_t r = 0; r < rows; r++) {
            for (int32_t i = 0; i < words; i++) {
                int32_t sums[2] = {s[i], odd[i]};
                for (int32_t pair = 0; pair < pairs; pair++)
                    ember_dual_word(w[pair * words + i], block->panel[pair * rows + r], sums);
                uint8_t *at = y + r * block->stride + 2 * i * size;
                ember_dual_store(at, sums[0], m[2 * i], block);
                ember_dual_store(at + size, sums[1], m[2 * i + 1], block);
            }
        }
        s = m + 2 * words;
    }
}

#endif
