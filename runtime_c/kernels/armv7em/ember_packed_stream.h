/* Packed weights (ember_packed.h) as streams of dual-column words (ember_dual.h), a few columns at a time.
 *
 * A weight is looked up in its group's levels: those of the first column as they are, those of the second 256 times as
 * large, so that their sum is a lane. About 3.5 instructions a weight, and 2^bits * 5 for the levels of a group.
 *
 * Private to the Armv7E-M kernels.
 */
#ifndef EMBER_PACKED_STREAM_H
#define EMBER_PACKED_STREAM_H

#include "ember_dual.h"

enum { EMBER_PACKED_LEVELS = 16 };

/* levels[code] = w << by for the group of column n that k lies in. */
static inline void ember_packed_levels(const ember_packed *w, int32_t n, int32_t k, int32_t by, int32_t *levels)
{
    const int32_t gain = w->gains[n * w->groups + k / w->group];
    const int8_t *entry = w->codebook;
    for (int32_t i = 0; i < 1 << w->bits; i += 4, entry += 4, levels += 4) {
        levels[0] = ember_shift_left((entry[0] * gain + 64) >> 7, by);
        levels[1] = ember_shift_left((entry[1] * gain + 64) >> 7, by);
        levels[2] = ember_shift_left((entry[2] * gain + 64) >> 7, by);
        levels[3] = ember_shift_left((entry[3] * gain + 64) >> 7, by);
    }
}

/* Eight codes in the low bits; 2, 3 or 4 bytes are read, no more. */
static inline uint32_t ember_packed_codes2(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static inline uint32_t ember_packed_codes3(const uint8_t *at)
{
    return ember_packed_codes2(at) | (uint32_t)at[2] << 16;
}

static inline uint32_t ember_packed_codes4(const uint8_t *at)
{
    return ember_packed_codes2(at) | ember_packed_codes2(at + 2) << 16;
}

/* Two lanes as a word. */
static inline int32_t ember_packed_join(int32_t low, int32_t high)
{
#if EMBER_HAS_ARMV7EM
    int32_t word;
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(word) : "r"(low), "r"(high));
    return word;
#else
    return ember_dual_pair_of(low, high);
#endif
}

/* Lane i of the codes a and b; the word of lanes i and j, and on to the next. */
#define EMBER_PACKED_LANE(bits, i)                                                                                     \
    (first[a >> ((i) * (bits)) & ((1u << (bits)) - 1u)] + second[b >> ((i) * (bits)) & ((1u << (bits)) - 1u)])
#define EMBER_PACKED_PUT(bits, i, j)                                                                                   \
    *out = ember_packed_join(EMBER_PACKED_LANE(bits, i), EMBER_PACKED_LANE(bits, j));                                  \
    out += step;

/* Whole eights from codes at ca and cb to words `step` apart; their end. Straight code, as the shifts are constants, and
 * a function of its own, so that both tables of levels have a register. */
#define EMBER_PACKED_EIGHTS(bits)                                                                                      \
    static __attribute__((noinline))                                                                                   \
    int32_t *ember_packed_eights##bits(const uint8_t *ca, const uint8_t *cb, int32_t eights, const int32_t *first,     \
                                       const int32_t *second, int32_t step, int32_t *out)                              \
    {                                                                                                                  \
        for (; eights > 0; eights--, ca += (bits), cb += (bits)) {                                                     \
            const uint32_t a = ember_packed_codes##bits(ca), b = ember_packed_codes##bits(cb);                         \
            EMBER_PACKED_PUT(bits, 0, 2)                                                                               \
            EMBER_PACKED_PUT(bits, 1, 3)                                                                               \
            EMBER_PACKED_PUT(bits, 4, 6)                                                                               \
            EMBER_PACKED_PUT(bits, 5, 7)                                                                               \
        }                                                                                                              \
        return out;                                                                                                    \
    }

EMBER_PACKED_EIGHTS(2)
EMBER_PACKED_EIGHTS(3)
EMBER_PACKED_EIGHTS(4)

/* The last `left` < 8 weights: whole fours as (0, 2) and (1, 3), then the rest as ember_dual_tail has it. */
static inline void ember_packed_tail(const ember_packed *w, const uint8_t *ca, const uint8_t *cb, int32_t left,
                                     const int32_t *first, const int32_t *second, int32_t step, int32_t *out)
{
    uint32_t a = 0, b = 0;
    for (int32_t i = 0; i < w->bits; i++) {
        a |= (uint32_t)ca[i] << (8 * i);
        b |= (uint32_t)cb[i] << (8 * i);
    }
    const uint32_t mask = (1u << w->bits) - 1u;
    int32_t lanes[8] = {0};
    for (int32_t i = 0; i < left; i++, a >>= w->bits, b >>= w->bits)
        lanes[i] = first[a & mask] + second[b & mask];
    for (const int32_t *lane = lanes; left > 0; left -= 4, lane += 4, out += 2 * step) {
        *out = ember_dual_pair_of(lane[0], lane[left == 2 ? 1 : 2]);
        if (left > 2)
            out[step] = ember_dual_pair_of(lane[1], lane[3]);
    }
}

/* The words of columns c and c + 1 of n, `step` apart: missing columns are 0. */
static inline void ember_packed_words(const ember_packed *w, int32_t c, int32_t n, int32_t k, int32_t step,
                                      int32_t *out)
{
    int32_t first[EMBER_PACKED_LEVELS] = {0}, second[EMBER_PACKED_LEVELS] = {0};
    const uint8_t *a = w->codes + ember_min(c, n - 1) * w->row_bytes;
    const uint8_t *b = w->codes + ember_min(c + 1, n - 1) * w->row_bytes;
    for (int32_t i = 0; i < k; i += w->group) {
        if (c < n)
            ember_packed_levels(w, c, i, 0, first);
        if (c + 1 < n)
            ember_packed_levels(w, c + 1, i, 8, second);
        const int32_t count = ember_min(w->group, k - i), eights = count >> 3;
        if (w->bits == 2)
            out = ember_packed_eights2(a, b, eights, first, second, step, out);
        else if (w->bits == 3)
            out = ember_packed_eights3(a, b, eights, first, second, step, out);
        else
            out = ember_packed_eights4(a, b, eights, first, second, step, out);
        a += eights * w->bits;
        b += eights * w->bits;
        if ((count & 7) != 0)
            ember_packed_tail(w, a, b, count & 7, first, second, step, out);
    }
}

#endif
