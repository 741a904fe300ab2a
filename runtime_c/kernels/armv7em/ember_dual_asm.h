/* Assembly that the dual-column kernels have in common: entry, exit, and the words from [sp] on.
 *
 * [sp] panel, stream end, zero point, y, stride, [sp, #20] entry1, #24 entry2, #28 after, #32 last, #36 panel end,
 * #40 three words for folded sums, #52 shift. r6 is the weight stream and r7 the panel in every kernel.
 */
#ifndef EMBER_DUAL_ASM_H
#define EMBER_DUAL_ASM_H

/* ADR counts from a word boundary, and -Os aligns functions to half a word. */
#define EMBER_DUAL_KERNEL __attribute__((naked, noinline, aligned(4)))

/* r0 = the ember_dual_block. Offsets become addresses: entries from label 3 (the loop), the rest by table 9. */
#define EMBER_DUAL_ENTER                                                                                               \
    ".syntax unified\n\t"                                                                                              \
    "push {r4-r11, lr}\n\t"                                                                                            \
    "sub sp, #60\n\t"                                                                                                  \
    "ldm r0!, {r1-r5}\n\t"                                                                                             \
    "mov r10, sp\n\t"                                                                                                  \
    "stm r10!, {r1-r5}\n\t"                                                                                            \
    "mov r7, r1\n\t"                                                                                                   \
    "ldm r0, {r1-r6, lr}\n\t"                                                                                          \
    "adr.w r8, 3f\n\t"                                                                                                 \
    "add.w r8, r8, #1\n\t"                                                                                             \
    "adr.w r12, 9f\n\t"                                                                                                \
    "ldrh r3, [r12, r3, lsl #1]\n\t"                                                                                   \
    "ldrh r4, [r12, r4, lsl #1]\n\t"                                                                                   \
    "add r1, r8\n\t"                                                                                                   \
    "add r2, r8\n\t"                                                                                                   \
    "add r3, r8\n\t"                                                                                                   \
    "add r4, r8\n\t"                                                                                                   \
    "mov r9, #0\n\t"                                                                                                   \
    "mov r11, r9\n\t"                                                                                                  \
    "mov r12, r9\n\t"                                                                                                  \
    "stm r10, {r1-r5, r9, r11, r12, lr}\n"

/* Repeats from label 1 until the stream comes to its end, after storing y (r12). */
#define EMBER_DUAL_NEXT(end)                                                                                           \
    "str r12, [sp, #12]\n\t"                                                                                           \
    "cmp r6, " end "\n\t"                                                                                              \
    "bne.w 1b\n\t"                                                                                                     \
    "add sp, #60\n\t"                                                                                                  \
    "pop {r4-r11, pc}\n"

#define EMBER_SMLAD(acc, w, x) "smlad " acc ", " w ", " x ", " acc "\n\t"

/* S1 + bias in q, from q and p. */
#define EMBER_SPLIT(q, p, bias) "sub " q ", " q ", " p "\n\tadd " q ", " bias ", " q ", asr #8\n\t"

#define EMBER_LEFT(acc, by) "lsl " acc ", " acc ", " by "\n\t"
#define EMBER_SCALE(acc, m, zero) "smmlar " acc ", " acc ", " m ", " zero "\n\t"
#define EMBER_NARROW(bits, acc) "ssat " acc ", #" bits ", " acc "\n\t"

#endif
