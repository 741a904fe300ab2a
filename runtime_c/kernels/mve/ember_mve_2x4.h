/* The body of the two-row kernels, for elements of 8 or 16 bits: two rows by four columns of dot products.
 *
 * Registers: r0 r2 r4 r6 sums of row 0, r8 r10 r12 lr of row 1; r1 weights, r3 r5 rows, r7 counter, r9 sums out,
 * r11 arguments; q0 q1 and q5 q6 the rows, double buffered, q2 q3 q4 q7 weights.
 * Unit: 6 loads and 8 VMLADAVA; every load stands at least one instruction before its use.
 */
#ifndef EMBER_MVE_2X4_H
#define EMBER_MVE_2X4_H

#include "ember_mve_block.h"

/* LOAD is "vldrb.8" or "vldrh.16", MAC "vmladava.s8" or "vmladava.s16". */
#define ROW0(LOAD, Q) LOAD " " Q ", [r3], #16\n\t"
#define ROW1(LOAD, Q) LOAD " " Q ", [r5], #16\n\t"
#define WEIGHT(LOAD, Q) LOAD " " Q ", [r1], #16\n\t"
#define BOTH(MAC, A, B, X, Y, W, BETWEEN) MAC " " A ", " X ", " W "\n\t" BETWEEN MAC " " B ", " Y ", " W "\n\t"

/* One unit of rows X and Y, the first weights in q2; NEXT1 .. NEXT3 load the next unit. */
#define UNIT(LOAD, MAC, X, Y, NEXT1, NEXT2, NEXT3)                                                                     \
    BOTH(MAC, "r0", "r8", X, Y, "q2", WEIGHT(LOAD, "q3"))                                                              \
    WEIGHT(LOAD, "q4")                                                                                                 \
    BOTH(MAC, "r2", "r10", X, Y, "q3", WEIGHT(LOAD, "q7"))                                                             \
    NEXT1 BOTH(MAC, "r4", "r12", X, Y, "q4", NEXT2)                                                                    \
    NEXT3 BOTH(MAC, "r6", "lr", X, Y, "q7", "")

#define UNIT_THEN(LOAD, MAC, X, Y, NX, NY) UNIT(LOAD, MAC, X, Y, ROW0(LOAD, NX), WEIGHT(LOAD, "q2"), ROW1(LOAD, NY))

#define EMBER_MVE_2X4(LOAD, MAC, TAIL)                                                                                 \
    "str r7, [r11, #40]\n\t"                                                                                           \
    "ldrd r1, r9, [r11, #8]\n"                                                                                         \
    "1:\tldrd r3, r5, [r11]\n\t"                                                                                       \
    "ldm r1, {r0, r2, r4, r6}\n\t"                                                                                     \
    "ldm r1!, {r8, r10, r12, lr}\n\t"                                                                                  \
    "ldr r7, [r11, #20]\n\t"                                                                                           \
    "cmp r7, #0\n\t"                                                                                                   \
    "beq 3f\n"                                                                                                         \
    "2:\t" ROW0(LOAD, "q0") WEIGHT(LOAD, "q2") ROW1(LOAD, "q1") UNIT_THEN(LOAD, MAC, "q0", "q1", "q5", "q6")           \
        UNIT_THEN(LOAD, MAC, "q5", "q6", "q0", "q1") UNIT_THEN(LOAD, MAC, "q0", "q1", "q5", "q6")                      \
            UNIT(LOAD, MAC, "q5", "q6", "subs r7, #1\n\t", "",                                                         \
                 "") "bne 2b\n"                                                                                        \
                     "3:\tldr r7, [r11, #24]\n\t"                                                                      \
                     "cbnz r7, 5f\n"                                                                                   \
                     "4:\tstm r9!, {r0, r2, r4, r6, r8, r10, r12, lr}\n\t"                                             \
                     "ldr r7, [r11, #16]\n\t"                                                                          \
                     "cmp r9, r7\n\t"                                                                                  \
                     "bne 1b\n\t"                                                                                      \
                     "str r1, [r11, #8]\n\t"                                                                           \
                     "ldr r7, [r11, #40]\n\t"                                                                          \
                     "b 8f\n"                                                                                          \
                     "5:\tldr r7, [r11, #28]\n\t"                                                                      \
                     "cbz r7, 7f\n"                                                                                    \
                     "6:\t" ROW0(LOAD, "q0") WEIGHT(LOAD, "q2") ROW1(LOAD, "q1")                                       \
                         UNIT(LOAD, MAC, "q0", "q1", "subs r7, #1\n\t", "", "") "bne 6b\n"                             \
                                                                                "7:\t" TAIL "b 4b\n"                   \
                                                                                "8:"

#endif
