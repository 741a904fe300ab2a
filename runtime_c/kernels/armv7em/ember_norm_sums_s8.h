/* The first pass of q.layer_norm over a row of int8: its sum, that of its squares, and from them its constants.
 *
 * SMLAD adds two elements and their squares at a time. Private to the kernels.
 */
#ifndef EMBER_NORM_SUMS_S8_H
#define EMBER_NORM_SUMS_S8_H

#include "ember_norm_armv7em.h"

#define SUM                                                                                                            \
    "ldr r4, [%[x]], #4\n\t"                                                                                           \
    "sxtb16 r5, r4\n\t"                                                                                                \
    "sxtb16 r4, r4, ror #8\n\t"                                                                                        \
    "smlad %[sum], r5, %[ones], %[sum]\n\t"                                                                            \
    "smlad %[sum], r4, %[ones], %[sum]\n\t"                                                                            \
    "smlad %[squares], r5, r5, %[squares]\n\t"                                                                         \
    "smlad %[squares], r4, r4, %[squares]\n\t"

#define SUM_USES                                                                                                       \
    : [x] "+r"(x), [sum] "+r"(sum), [squares] "+r"(squares)                                                            \
    : [ones] "r"(0x10001)                                                                                              \
    : "r4", "r5", "memory"

static ember_norm_row scale_of(const int8_t *x, const ember_layer_norm_params *p)
{
    int32_t sum = 0;
    uint32_t squares = 0;
    int32_t left = p->n;
#if EMBER_HAS_ARMV7EM
    for (; left >= 32; left -= 32)
        __asm__ volatile(SUM SUM SUM SUM SUM SUM SUM SUM SUM_USES);
    for (; left >= 4; left -= 4)
        __asm__ volatile(SUM SUM_USES);
#endif
    for (; left > 0; left--, x++) {
        sum += *x;
        squares += (uint32_t)(*x * *x);
    }
    return ember_norm_scale(sum, squares, p);
}

#endif
