/* The first pass of q.layer_norm over a row of int16: its sum, that of its squares, and from them its constants.
 *
 * SMLAD adds two elements and their squares at a time. Private to the kernels.
 */
#ifndef EMBER_NORM_SUMS_S16_H
#define EMBER_NORM_SUMS_S16_H

#include "ember_norm_armv7em.h"

#define SUM                                                                                                            \
    "ldr r4, [%[x]], #4\n\t"                                                                                           \
    "smlad %[sum], r4, %[ones], %[sum]\n\t"                                                                            \
    "smlald %[low], %[high], r4, r4\n\t"

#define SUM_USES                                                                                                       \
    : [x] "+r"(x), [sum] "+r"(sum), [low] "+r"(low), [high] "+r"(high)                                                 \
    : [ones] "r"(0x10001)                                                                                              \
    : "r4", "memory"

static ember_norm_row scale_of(const int16_t *x, const ember_layer_norm_params *p)
{
    int32_t sum = 0;
    uint64_t squares = 0;
    int32_t left = p->n;
#if EMBER_HAS_ARMV7EM
    uint32_t low = 0, high = 0;
    for (; left >= 16; left -= 16)
        __asm__ volatile(SUM SUM SUM SUM SUM SUM SUM SUM SUM_USES);
    for (; left >= 2; left -= 2)
        __asm__ volatile(SUM SUM_USES);
    squares = (uint64_t)high << 32 | low;
#endif
    for (; left > 0; left--, x++) {
        sum += *x;
        squares += (uint32_t)(*x * *x);
    }
    return ember_norm_scale(sum, squares, p);
}

#endif
