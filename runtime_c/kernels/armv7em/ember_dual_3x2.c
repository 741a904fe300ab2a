/* Three rows by two columns of a q.matmul on dual-column weights, for Cortex-M4 and M33.
 *
 * Registers: r0-r2 p, r3-r5 q, r6 stream, r7 panel, r8-r10 weights, r11 r12 lr activations; all else at [sp].
 * Unit: 3 pairs (6 k): LDM of 3 weight words, 3 x (LDM of 3 rows, 3 SMLAD, SXTB16 in place, 3 SMLAD) = 25
 * instructions for 36 MACs = 0.694. SXTB16 in place is what frees the registers for LDM.
 * Any k: the first pair's SMLADs take the bias as addend, pairs % 3 run singly, then a jump lands in the unrolled loop
 * so that nothing is padded but k to even. The panel ends at a multiple of 256, so that one TST ends the passes.
 * Stream of a block: bias 0, words [pairs], bias 1, m 0, m 1. Requantization: SUB, ADD asr #8, SMMLAR, SSAT, and for
 * two columns BFI + STRH (int8) or PKHBT + STR (int16).
 * Predicted: 0.694 + 41 / (6 k) a MAC, and 1 / n for the panel, 0.755 at (128,128,128); measured 0.747, at (128,512,128)
 * 0.719, at (64,64,64) 0.821. k at most 8064 (64 passes of 756 bytes of panel).
 */
#include "ember_dual_asm.h"
#include "ember_dual_plain.h"

#if EMBER_HAS_ARMV7EM

#define PAIR(w)                                                                                                        \
    "ldm r7!, {r11, r12, lr}\n\t" EMBER_SMLAD("r3", w, "r11") EMBER_SMLAD("r4", w, "r12")                              \
        EMBER_SMLAD("r5", w, "lr") "sxtb16 " w ", " w "\n\t" EMBER_SMLAD("r0", w, "r11") EMBER_SMLAD("r1", w, "r12")   \
            EMBER_SMLAD("r2", w, "lr")

#define SPLIT EMBER_SPLIT("r3", "r0", "r8") EMBER_SPLIT("r4", "r1", "r8") EMBER_SPLIT("r5", "r2", "r8")

#define FINISH(bits)                                                                                                   \
    "ldm sp, {r7, r8, r11, r12, lr}\n\t" EMBER_SCALE("r0", "r9", "r11") EMBER_SCALE("r3", "r10", "r11")                \
        EMBER_SCALE("r1", "r9", "r11") EMBER_SCALE("r4", "r10", "r11") EMBER_SCALE("r2", "r9", "r11")                  \
            EMBER_SCALE("r5", "r10", "r11") EMBER_NARROW(bits, "r0") EMBER_NARROW(bits, "r3") EMBER_NARROW(bits, "r1") \
                EMBER_NARROW(bits, "r4") EMBER_NARROW(bits, "r2") EMBER_NARROW(bits, "r5")

#define LEFT                                                                                                           \
    "ldr r8, [sp, #52]\n\t" EMBER_LEFT("r0", "r8") EMBER_LEFT("r3", "r8") EMBER_LEFT("r1", "r8")                       \
        EMBER_LEFT("r4", "r8") EMBER_LEFT("r2", "r8") EMBER_LEFT("r5", "r8")

EMBER_DUAL_KERNEL void ember_dual_3x2(const ember_dual_block *block __attribute__((unused)))
{
    __asm__ volatile(
        EMBER_DUAL_ENTER
        "1:\tldm r6!, {r8, r9}\n\t"
        "ldm r7!, {r11, r12, lr}\n\t"
        "smlad r3, r9, r11, r8\n\t"
        "smlad r4, r9, r12, r8\n\t"
        "smlad r5, r9, lr, r8\n\t"
        "sxtb16 r9, r9\n\t"
        "smlad r0, r9, r11, r8\n\t"
        "smlad r1, r9, r12, r8\n\t"
        "smlad r2, r9, lr, r8\n\t"
        "ldr pc, [sp, #20]\n\t"
        "ldr r8, [r6], #4\n\t" PAIR("r8") "ldr r8, [r6], #4\n\t" PAIR(
            "r8") "ldr pc, [sp, #24]\n"
                  "3:\t.rept 21\n\t"
                  "ldm r6!, {r8, r9, r10}\n\t" PAIR("r8") PAIR("r9") PAIR(
                      "r10") ".endr\n\t"
                             "ldr pc, [sp, #28]\n"
                             "4:\ttst r7, #255\n\t"
                             "bne.w 3b\n\t"
                             "ldr pc, [sp, #32]\n"
                             /* folded sums in r9-r11 */
                             "5:\tsub r3, r3, r0\n\t"
                             "sub r4, r4, r1\n\t"
                             "sub r5, r5, r2\n\t"
                             "add r8, sp, #40\n\t"
                             "ldm r8, {r9, r10, r11}\n\t"
                             "add r9, r9, r3, asr #8\n\t"
                             "add r10, r10, r4, asr #8\n\t"
                             "add r11, r11, r5, asr #8\n\t"
                             "stm r8, {r9, r10, r11}\n\t"
                             "mov r3, r0\n\t"
                             "mov r4, r1\n\t"
                             "mov r5, r2\n\t"
                             "tst r7, #255\n\t"
                             "bne.w 3b\n\t"
                             "mov r4, #0\n\t"
                             "mov r5, r4\n\t"
                             "mov r12, r4\n\t"
                             "stm r8, {r4, r5, r12}\n\t"
                             "mov r3, r9\n\t"
                             "mov r4, r10\n\t"
                             "mov r5, r11\n\t"
                             "ldm r6!, {r8, r9, r10}\n\t"
                             "add r3, r8\n\t"
                             "add r4, r8\n\t"
                             "add r5, r8\n\t"
                             "ldr pc, [sp, #32]\n"
                             "6:\tldm r6!, {r8, r9, r10}\n\t" SPLIT "7:\t" FINISH(
                                 "8") "bfi r0, r3, #8, #8\n\t"
                                      "bfi r1, r4, #8, #8\n\t"
                                      "bfi r2, r5, #8, #8\n\t"
                                      "strh r1, [r12, lr]\n\t"
                                      "strh r2, [r12, lr, lsl #1]\n\t"
                                      "strh r0, [r12], #2\n\t" EMBER_DUAL_NEXT(
                                          "r8") "8:\tldm r6!, {r8, r9, r10}\n\t" SPLIT
                                                "10:\t" FINISH(
                                                    "16") "pkhbt r0, r0, r3, lsl #16\n\t"
                                                          "pkhbt r1, r1, r4, lsl #16\n\t"
                                                          "pkhbt r2, r2, r5, lsl #16\n\t"
                                                          "str r1, [r12, lr]\n\t"
                                                          "str r2, [r12, lr, lsl #1]\n\t"
                                                          "str r0, [r12], #4\n\t" EMBER_DUAL_NEXT(
                                                              "r8") "11:\tldm r6!, {r8, r9, r10}\n\t" SPLIT "12:\t" LEFT
                                                                    "b.w 10b\n"
                                                                    "9:\t.hword 6b - 3b, 8b - 3b, 4b - 3b, 5b - 3b, 7b "
                                                                    "- 3b, 10b - 3b, 11b - 3b, 12b - 3b\n\t");
}

#else

void ember_dual_3x2(const ember_dual_block *block)
{
    ember_dual_plain(block, 3, 1);
}

#endif
