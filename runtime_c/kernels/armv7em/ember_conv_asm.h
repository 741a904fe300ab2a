/* A channel of q.causal_conv with at most four taps: the window slides through two registers.
 *
 * Idea: a register holds two neighbours in time as halfwords, the older one on top. p = (x[t-3], x[t-2]) and
 * q = (x[t-2], x[t-1]); SMLAD takes the two older taps from p, then p becomes (x[t-1], x[t]) for the two newer ones and
 * is the older pair two steps later: unrolled by two, no pair moves.
 * Registers: r0 x, r1 y, r2 r3 offsets of both steps, r4 step, r5 p, r6 q, r7 r8 taps, r9 bias, r10 m, r11 zero point,
 * r12 table, lr work. The offset runs up to 0, so that its addition is also the loop's test.
 * Predicted: 9.5 an output with a table, 2.38 a MAC for four taps, and 31 a channel: measured 2.45 for 100 steps.
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
    "1:\t" EMBER_CONV_STEP("r2", "r5", "r6", narrow) EMBER_CONV_STEP("r3", "r6", "r5", narrow) "adds r2, r2, r4\n\t"   \
                                                                                               "add r3, r3, r4\n\t"    \
                                                                                               "bne 1b\n\t"            \
                                                                                               "pop {r4-r11, pc}\n\t"

#endif
