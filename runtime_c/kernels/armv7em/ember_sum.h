/* q.add and q.requantize on Armv7E-M: z = clamp((((x * m1) >> s1) + ((y * m2) >> s2) + c) >> 6) over contiguous
 * operands of one shape.
 *
 * SMLAWB and SMLAWT add (lane * m) >> 16, so m1 and m2 come shifted left by 16 - s, and SSAT does the last shift:
 * 3 instructions an element besides loading, splitting and storing. r4 r5 hold lanes of x, then of y, sums leave in
 * r9-r12 in the order of the elements. Private to the kernels.
 * Measured at 128 x 128: 5.69 for two int8, 5.44 for int16 and int8, 5.19 for two int16; q.requantize 3.94 and 3.69.
 */
#ifndef EMBER_SUM_H
#define EMBER_SUM_H

#include "ember_armv7em.h"
#include "ember_math.h"

/* Lanes 0 2 and 1 3 of int8 operands; 0 1 and 2 3 of int16 ones. */
#define EMBER_SUM_BYTES(p, a, b)                                                                                       \
    "ldr " b ", [" p "], #4\n\t"                                                                                       \
    "sxtb16 " a ", " b "\n\t"                                                                                          \
    "sxtb16 " b ", " b ", ror #8\n\t"
#define EMBER_SUM_HALVES(p, a, b)                                                                                      \
    "ldr " a ", [" p "], #4\n\t"                                                                                       \
    "ldr " b ", [" p "], #4\n\t"

#define EMBER_SUM_OF_BYTES(m, a, b, from)                                                                              \
    "smlawb r9, " m ", " a ", " from(9) "\n\t"                                                                         \
                                        "smlawb r10, " m ", " b ", " from(10) "\n\t"                                   \
                                                                              "smlawt r11, " m ", " a                  \
                                                                              ", " from(11) "\n\t"                     \
                                                                                            "smlawt r12, " m ", " b    \
                                                                                            ", " from(12) "\n\t"
#define EMBER_SUM_OF_HALVES(m, a, b, from)                                                                             \
    "smlawb r9, " m ", " a ", " from(9) "\n\t"                                                                         \
                                        "smlawt r10, " m ", " a ", " from(10) "\n\t"                                   \
                                                                              "smlawb r11, " m ", " b                  \
                                                                              ", " from(11) "\n\t"                     \
                                                                                            "smlawt r12, " m ", " b    \
                                                                                            ", " from(12) "\n\t"
#define EMBER_SUM_FIRST(r) "%[c]"
#define EMBER_SUM_NEXT(r) "r" #r

#define EMBER_SUM_NARROW(bits)                                                                                         \
    "ssat r9, #" bits ", r9, asr #6\n\t"                                                                               \
    "ssat r10, #" bits ", r10, asr #6\n\t"                                                                             \
    "ssat r11, #" bits ", r11, asr #6\n\t"                                                                             \
    "ssat r12, #" bits ", r12, asr #6\n\t"
#define EMBER_SUM_STORE_S8(a, b, c, d)                                                                                 \
    "bfi " a ", " b ", #8, #8\n\t"                                                                                     \
    "bfi " c ", " d ", #8, #8\n\t"                                                                                     \
    "pkhbt " a ", " a ", " c ", lsl #16\n\t"                                                                           \
    "str " a ", [%[z]], #4\n\t"
#define EMBER_SUM_STORE_S16(a, b, c, d)                                                                                \
    "pkhbt " a ", " a ", " b ", lsl #16\n\t"                                                                           \
    "pkhbt " c ", " c ", " d ", lsl #16\n\t"                                                                           \
    "str " a ", [%[z]], #4\n\t"                                                                                        \
    "str " c ", [%[z]], #4\n\t"
#define EMBER_SUM_TO_S8 EMBER_SUM_NARROW("8") EMBER_SUM_STORE_S8("r9", "r10", "r11", "r12")
#define EMBER_SUM_TO_S16 EMBER_SUM_NARROW("16") EMBER_SUM_STORE_S16("r9", "r10", "r11", "r12")

#define EMBER_SUM_FOUR(load_x, sum_x, load_y, sum_y, store)                                                            \
    load_x("%[x]", "r4", "r5") sum_x("%[m1]", "r4", "r5", EMBER_SUM_FIRST) load_y("%[y]", "r4", "r5")                  \
        sum_y("%[m2]", "r4", "r5", EMBER_SUM_NEXT) store

/* Sixteen elements; x, y, z, left and m1, m2, c are the kernel's variables. */
#define EMBER_SUM_LOOP(four)                                                                                           \
    for (; left >= 16; left -= 16)                                                                                     \
    __asm__ volatile(four four four four                                                                               \
                     : [x] "+r"(x), [y] "+r"(y), [z] "+r"(z)                                                           \
                     : [m1] "r"(m1), [m2] "r"(m2), [c] "r"(c)                                                          \
                     : "r4", "r5", "r9", "r10", "r11", "r12", "memory")

/* The one-term form, q.requantize: y = clamp((((x * m1) >> 16) + c) >> 6), sixteen elements. */
#define EMBER_SUM_ONE_TERM(load_x, sum_x, store)                                                                       \
    load_x("%[x]", "r4", "r5") sum_x("%[m1]", "r4", "r5", EMBER_SUM_FIRST) store
#define EMBER_SUM_ONE_TERM_LOOP(four)                                                                                  \
    for (; left >= 16; left -= 16)                                                                                     \
    __asm__ volatile(four four four four                                                                               \
                     : [x] "+r"(x), [z] "+r"(z)                                                                        \
                     : [m1] "r"(m1), [c] "r"(c)                                                                        \
                     : "r4", "r5", "r9", "r10", "r11", "r12", "memory")

/* One element of what is left. */
static inline int32_t ember_sum_one(int32_t x, int32_t y, const ember_sum_params *p)
{
    const int32_t a = (int32_t)(((int64_t)p->m1 * x) >> 16);
    const int32_t b = (int32_t)(((int64_t)p->m2 * y) >> 16);
    return (a + b + p->c) >> 6;
}

#endif
