/* The body of the two-row kernels, for elements of 8 or 16 bits: two rows by four columns of dot products.
 *
 * Registers: r0 r2 r4 r6 sums of row 0, r8 r10 r12 lr of row 1; r1 weights, r3 r5 rows, r7 counter, r9 sums out,
 * r11 arguments; q0 q1 and q5 q6 the rows, double buffered, q2 q3 q4 q7 weights.
 * Unit: 6 loads and 8 VMLADAVA; every load stands at least one instruction before its use.
 *
 * The file that includes this defines ROW(register, address) and WEIGHT(register), which load the next vector, MAC,
 * AFTER, which stands at the end of every block, and TAIL, what is left of k after whole units.
 */
#ifndef EMBER_MVE_2X4_H
#define EMBER_MVE_2X4_H

#include "ember_mve_block.h"

#define BOTH(A, B, X, Y, W, BETWEEN) MAC " " A ", " X ", " W "\n\t" BETWEEN MAC " " B ", " Y ", " W "\n\t"

/* One unit of rows X and Y, the first weights in q2; NEXT1 .. NEXT3 load the next unit. */
#define UNIT(X, Y, NEXT1, NEXT2, NEXT3)                                                                                \
    BOTH("r0", "r8", X, Y, "q2", WEIGHT("q3"))                                                                         \
    WEIGHT("q4")                                                                                                       \
    BOTH("r2", "r10", X, Y, "q3", WEIGHT("q7"))                                                                        \
    NEXT1 BOTH("r4", "r12", X, Y, "q4", NEXT2)                                                                         \
    NEXT3 BOTH("r6", "lr", X, Y, "q7", "")

#define UNIT_THEN(X, Y, NX, NY) UNIT(X, Y, ROW(NX, "r3"), WEIGHT("q2"), ROW(NY, "r5"))
#define LAST_UNIT(X, Y) UNIT(X, Y, "subs r7, #1\n\t", "", "")
#define START ROW("q0", "r3") WEIGHT("q2") ROW("q1", "r5")
#define TWO_UNITS UNIT_THEN("q0", "q1", "q5", "q6") UNIT_THEN("q5", "q6", "q0", "q1")
#define FOUR_UNITS START TWO_UNITS UNIT_THEN("q0", "q1", "q5", "q6") LAST_UNIT("q5", "q6")
#define ONE_UNIT START LAST_UNIT("q0", "q1")

#define EMBER_MVE_2X4                                                                                                  \
    "str r7, [r11, #44]\n\t"                                                                                           \
    "ldrd r1, r9, [r11, #8]\n"                                                                                         \
    "1:\tldrd r3, r5, [r11]\n\t"                                                                                       \
    "ldm r1, {r0, r2, r4, r6}\n\t"                                                                                     \
    "ldm r1!, {r8, r10, r12, lr}\n\t"                                                                                  \
    "ldr r7, [r11, #20]\n\t"                                                                                           \
    "cmp r7, #0\n\t"                                                                                                   \
    "beq 3f\n"                                                                                                         \
    "2:\t" FOUR_UNITS "bne 2b\n"                                                                                       \
    "3:\tldr r7, [r11, #24]\n\t"                                                                                       \
    "cbnz r7, 5f\n"                                                                                                    \
    "4:\t" AFTER "stm r9!, {r0, r2, r4, r6, r8, r10, r12, lr}\n\t"                                                     \
    "ldr r7, [r11, #16]\n\t"                                                                                           \
    "cmp r9, r7\n\t"                                                                                                   \
    "bne 1b\n\t"                                                                                                       \
    "str r1, [r11, #8]\n\t"                                                                                            \
    "ldr r7, [r11, #44]\n\t"                                                                                           \
    "b 8f\n"                                                                                                           \
    "5:\tldr r7, [r11, #28]\n\t"                                                                                       \
    "cbz r7, 7f\n"                                                                                                     \
    "6:\t" ONE_UNIT "bne 6b\n"                                                                                         \
    "7:\t" TAIL "b 4b\n"                                                                                               \
    "8:"

#endif
