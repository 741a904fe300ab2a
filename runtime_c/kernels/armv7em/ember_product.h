/* q.mul on Armv7E-M: z = clamp(((x - zx) * (y - zy) * m + (zero_point << 32) + 2^31) >> 32), contiguous, of one shape.
 *
 * SXTAB16 splits int8 operands and subtracts their zero points (int16 ones have none), SMULBB and SMULTT multiply the
 * lanes, SMMLAR and SSAT finish: 3 instructions an element besides. r4 r5 hold lanes of x, r6 r8 of y, results leave in
 * r9, r4, r10, r5 in the order of the elements. Private to the kernels.
 * Measured at 128 x 128: 5.69 for two int8, 5.44 for int16 and int8, 5.19 for two int16.
 */
#ifndef EMBER_PRODUCT_H
#define EMBER_PRODUCT_H

#include "ember_armv7em.h"
#include "ember_math.h"
#include "ember_sum.h"

/* The loop takes 13 registers; gcc keeps one for itself where there is Helium, whose low-overhead loops use LR. */
#if EMBER_HAS_ARMV7EM && !defined(__ARM_FEATURE_MVE)
#define EMBER_HAS_PRODUCT 1
#else
#define EMBER_HAS_PRODUCT 0
#endif

#define EMBER_PRODUCT_BYTES(p, a, b, zero)                                                                             \
    "ldr " b ", [" p "], #4\n\t"                                                                                       \
    "sxtab16 " a ", " zero ", " b "\n\t"                                                                               \
    "sxtab16 " b ", " zero ", " b ", ror #8\n\t"
#define EMBER_PRODUCT_HALVES(p, a, b, zero) EMBER_SUM_HALVES(p, a, b)

#define EMBER_PRODUCT_OF_BYTES_AND_BYTES                                                                               \
    "smulbb r9, r4, r6\n\tsmultt r10, r4, r6\n\tsmulbb r4, r5, r8\n\tsmultt r5, r5, r8\n\t"
#define EMBER_PRODUCT_OF_HALVES_AND_BYTES                                                                              \
    "smulbb r9, r4, r6\n\tsmultb r4, r4, r8\n\tsmulbt r10, r5, r6\n\tsmultt r5, r5, r8\n\t"
#define EMBER_PRODUCT_OF_HALVES_AND_HALVES                                                                             \
    "smulbb r9, r4, r6\n\tsmultt r4, r4, r6\n\tsmulbb r10, r5, r8\n\tsmultt r5, r5, r8\n\t"

#define EMBER_PRODUCT_SCALE                                                                                            \
    "smmlar r9, r9, %[m], %[zp]\n\tsmmlar r4, r4, %[m], %[zp]\n\t"                                                     \
    "smmlar r10, r10, %[m], %[zp]\n\tsmmlar r5, r5, %[m], %[zp]\n\t"
#define EMBER_PRODUCT_NARROW(bits)                                                                                     \
    "ssat r9, #" bits ", r9\n\tssat r4, #" bits ", r4\n\tssat r10, #" bits ", r10\n\tssat r5, #" bits ", r5\n\t"
#define EMBER_PRODUCT_TO_S8 EMBER_PRODUCT_NARROW("8") EMBER_SUM_STORE_S8("r9", "r4", "r10", "r5")
#define EMBER_PRODUCT_TO_S16 EMBER_PRODUCT_NARROW("16") EMBER_SUM_STORE_S16("r9", "r4", "r10", "r5")

/* Sixteen elements; x, y, z, left and m, zp and the pairs zx, zy of negated zero points are the kernel's variables. */
#define EMBER_PRODUCT_LOOP(four)                                                                                       \
    for (; left >= 16; left -= 16)                                                                                     \
    __asm__ volatile(four four four four                                                                               \
                     : [x] "+r"(x), [y] "+r"(y), [z] "+r"(z)                                                           \
                     : [m] "r"(m), [zp] "r"(zp), [zx] "r"(zx), [zy] "r"(zy)                                            \
                     : "r4", "r5", "r6", "r8", "r9", "r10", "memory")

static inline int32_t ember_product_pair(int32_t zero)
{
    return (int32_t)((uint32_t)(-zero & 0xFFFF) * 0x10001u);
}

static inline int32_t ember_product_one(int32_t x, int32_t y, const ember_product_params *p)
{
    return ember_high_multiply((x - p->zx) * (y - p->zy), p->m, p->zero_point);
}

#endif
