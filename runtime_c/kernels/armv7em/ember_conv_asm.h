/* A channel of q.causal_conv with at most four taps: the window slides through two registers.
 *
 * Idea: a register holds two neighbours in time as halfwords, the older one on top. p = (x[t-3], x[t-2]) and
 * q = (x[t-2], x[t-1]); SMLAD takes the two older taps from p, then p becomes (x[t-1], x[t]) for the two newer ones and
 * is the older pair two steps later: unrolled by an even number, no pair moves. By four, because one row, two and three
 * are all offsets that a load and a store can have: x and y move once in four steps.
 * Registers: r0 x, r1 y, r2 end of x, r3 three rows, r4 a row, r5 p, r6 q, r7 r8 taps, r9 bias, r10 m, r11 zero point,
 * r12 table, lr work.
 * Preconditions: a multiple of four steps, one at least.
 * Predicted: 9 an output with a table, 2.25 a MAC for four taps, and 31 a channel; measured
 * with a table 2.35 for 100 steps, 2.58 for 32.
 *
 * Private to the Armv7E-M kernels.
 */
#ifndef EMBER_CONV_ASM_H
#define EMBER_CONV_ASM_H

#define EMBER_CONV_SAT "ssat lr, #8, lr\n\t"
#define EMBER_CONV_LOOKUP "usat lr, #11, lr\n\tldrb lr, [r12, lr]\n\t"

#define EMBER_CONV_STEP(offset, p, q, narrow)                                                                          \
    "smlad lr, " p ", r7, r9\n\t"                                                                                      \
    "ldrsb " p ", [r0, " offset "]\n\t"                                                                                \
    "pkhbt " p ", " p ", " q ", lsl #16\n\t"                                                                           \
    "smlad lr, " p ", r8, lr\n\t"                                                                                      \
    "smmlar lr, lr, r10, r11\n\t" narrow "strb lr, [r1, " offset "]\n\t"

#define EMBER_CONV_WINDOW(narrow)                                                                                      \
    ".syntax unified\n\t"                                                                                              \
    "push {r4-r11, lr}\n\t"                                                                                            \
    "ldm r0, {r0-r12}\n"                                                                                               \
    "1:\t" EMBER_CONV_STEP("#0", "r5", "r6", narrow) EMBER_CONV_STEP("r4", "r6", "r5", narrow)                         \
        EMBER_CONV_STEP("r4, lsl #1", "r5", "r6", narrow)                                                              \
            EMBER_CONV_STEP("r3", "r6", "r5", narrow) "add r0, r0, r4, lsl #2\n\t"                                     \
                                                      "add r1, r1, r4, lsl #2\n\t"                                     \
                                                      "cmp r0, r2\n\t"                                                 \
                                                      "bne 1b\n\t"                                                     \
                                                      "pop {r4-r11, pc}\n\t"

#endif
