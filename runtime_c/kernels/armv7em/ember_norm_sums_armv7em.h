/* The first pass of q.layer_norm over a row: its sum and that of its squares.
 *
 * SMLAD adds two elements to the sum and their squares to the other one; SMLALD adds squares of int16 to 64 bits. int8
 * elements are parted by SXTB16: 7 instructions for four of them (1.75 each), 3 for two int16 (1.5 each).
 * Registers: r4, r5 the elements, ones 0x10001. Private to the kernels.
 */
#ifndef EMBER_NORM_SUMS_ARMV7EM_H
#define EMBER_NORM_SUMS_ARMV7EM_H

#include "ember_armv7em.h"
#include "ember_norm_row.h"

#define EMBER_NORM_SUM_S8                                                                                              \
    "ldr r4, [%[x]], #4\n\t"                                                                                           \
    "sxtb16 r5, r4\n\t"                                                                                                \
    "sxtb16 r4, r4, ror #8\n\t"                                                                                        \
    "smlad %[sum], r5, %[ones], %[sum]\n\t"                                                                            \
    "smlad %[sum], r4, %[ones], %[sum]\n\t"                                                                            \
    "smlad %[squares], r5, r5, %[squares]\n\t"                                                                         \
    "smlad %[squares], r4, r4, %[squares]\n\t"

#define EMBER_NORM_SUM_S16                                                                                             \
    "ldr r4, [%[x]], #4\n\t"                                                                                           \
    "smlad %[sum], r4, %[ones], %[sum]\n\t"                                                                            \
    "smlald %[low], %[high], r4, r4\n\t"

#define EMBER_TIMES_8(TEXT) TEXT TEXT TEXT TEXT TEXT TEXT TEXT TEXT

static inline ember_norm_sums ember_norm_sums_s8_armv7em(const int8_t *x, int32_t n)
{
#if EMBER_HAS_ARMV7EM
    int32_t sum = 0;
    uint32_t squares = 0;
    ember_norm_sums rest;
    for (; n >= 32; n -= 32)
        __asm__ volatile(EMBER_TIMES_8(EMBER_NORM_SUM_S8)
                         : [x] "+r"(x), [sum] "+r"(sum), [squares] "+r"(squares)
                         : [ones] "r"(0x10001)
                         : "r4", "r5", "memory");
    for (; n >= 4; n -= 4)
        __asm__ volatile(EMBER_NORM_SUM_S8
                         : [x] "+r"(x), [sum] "+r"(sum), [squares] "+r"(squares)
                         : [ones] "r"(0x10001)
                         : "r4", "r5", "memory");
    rest = ember_norm_sums_s8(x, n);
    rest.sum += sum;
    rest.squares += squares;
    return rest;
#else
    return ember_norm_sums_s8(x, n);
#endif
}

static inline ember_norm_sums ember_norm_sums_s16_armv7em(const int16_t *x, int32_t n)
{
#if EMBER_HAS_ARMV7EM
    int32_t sum = 0;
    uint32_t low = 0, high = 0;
    ember_norm_sums rest;
    for (; n >= 16; n -= 16)
        __asm__ volatile(EMBER_TIMES_8(EMBER_NORM_SUM_S16)
                         : [x] "+r"(x), [sum] "+r"(sum), [low] "+r"(low), [high] "+r"(high)
                         : [ones] "r"(0x10001)
                         : "r4", "memory");
    for (; n >= 2; n -= 2)
        __asm__ volatile(EMBER_NORM_SUM_S16
                         : [x] "+r"(x), [sum] "+r"(sum), [low] "+r"(low), [high] "+r"(high)
                         : [ones] "r"(0x10001)
                         : "r4", "memory");
    rest = ember_norm_sums_s16(x, n);
    rest.sum += sum;
    rest.squares += (uint64_t)high << 32 | low;
    return rest;
#else
    return ember_norm_sums_s16(x, n);
#endif
}

#endif
