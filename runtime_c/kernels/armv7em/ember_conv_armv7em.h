/* q.causal_conv on Armv7E-M: what its kernels share. Private to the Armv7E-M kernels. */
#ifndef EMBER_CONV_ARMV7EM_H
#define EMBER_CONV_ARMV7EM_H

#include <stddef.h>

#include "ember_armv7em_sequence.h"
#include "ember_conv_tail.h"
#include "ember_math.h"

enum { EMBER_CONV_TAPS = 4, EMBER_CONV_LEVELS = 2048 };

/* A channel's steps, four at a time; the words of the assembly's registers in order. */
typedef struct {
    const int8_t *x; /* of the first step */
    int8_t *y;
    const int8_t *end; /* x behind the last step */
    int32_t thrice;    /* three rows */
    int32_t row;
    uint32_t older; /* x[t - 3] on top of x[t - 2] */
    uint32_t newer; /* x[t - 2] on top of x[t - 1] */
    ember_conv_scales scales;
    int32_t zero_point;
    const int8_t *table;
    uint32_t reserved[10]; /* what the assembly pushes: no argument, it counts for the compiler's stack report */
} ember_conv_channel;

/* Saturated to int8, and looked up in a table of EMBER_CONV_LEVELS. */
void ember_conv_window(const ember_conv_channel *channel);
void ember_conv_window_table(const ember_conv_channel *channel);

/* SMLAD */
static inline int32_t ember_conv_pair(uint32_t x, uint32_t w, int32_t acc)
{
#if EMBER_HAS_ARMV7EM
    int32_t sum;
    __asm__("smlad %0, %1, %2, %3" : "=r"(sum) : "r"(x), "r"(w), "r"(acc));
    return sum;
#else
    return acc + (int16_t)x * (int16_t)w + (int16_t)(x >> 16) * (int16_t)(w >> 16);
#endif
}

/* `newer` below `older` */
static inline uint32_t ember_conv_both(uint32_t older, int32_t newer)
{
    return older << 16 | (uint16_t)newer;
}

/* SMMLAR: (a * m + (add << 32) + 2^31) >> 32 */
static inline int32_t ember_conv_scale(int32_t a, int32_t m, int32_t add)
{
#if EMBER_HAS_ARMV7EM
    int32_t scaled;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(scaled) : "r"(a), "r"(m), "r"(add));
    return scaled;
#else
    return ember_high_multiply(a, m, add);
#endif
}

/* The result of windows p = (x[t - 3], x[t - 2]) and q = (x[t - 1], x[t]). */
static inline int8_t ember_conv_result(uint32_t p, uint32_t q, const ember_conv_scales *scales, int32_t zero_point,
                                       const int8_t *table)
{
    const int32_t acc = ember_conv_pair(q, scales->w23, ember_conv_pair(p, scales->w01, scales->bias));
    const int32_t v = ember_conv_scale(acc, scales->m, zero_point);
    return table == NULL ? ember_clamp_s8(v) : table[ember_clamp(v, 0, EMBER_CONV_LEVELS - 1)];
}

/* What the assembly does, in plain C: for processors without the instructions, and to read. */
static inline void ember_conv_plain(const ember_conv_channel *channel, const int8_t *table)
{
    uint32_t p = channel->older, q = channel->newer;
    int8_t *y = channel->y;
    for (const int8_t *x = channel->x; x != channel->end; x += channel->row, y += channel->row) {
        const uint32_t next = ember_conv_both(q, *x);
        *y = ember_conv_result(p, next, &channel->scales, channel->zero_point, table);
        p = q;
        q = next;
    }
}

#endif
