/* Two rows by two columns of a q.matmul on dual-column weights: the last rows of a layer, and layers of two rows.
 *
 * Registers: r0 r1 p, r3 r4 q, r6 stream, r7 panel, r8-r10 weights, r11 r12 activations; all else at [sp].
 * Unit: 3 pairs (6 k): LDM of 3 weight words, 3 x (LDM of 2 rows, 2 SMLAD, SXTB16, 2 SMLAD) = 19 instructions for
 * 24 MACs = 0.79. The stream, its entries and its ends are ember_dual_3x2's.
 * Predicted: 0.79 + 40 / (4 k) a MAC, 0.870 for k = 128; measured 0.862.
 */
#include "ember_dual_asm.h"
#include "ember_dual_plain.h"

#if EMBER_HAS_ARMV7EM

#define PAIR(w)                                                                                                        \
    "ldm r7!, {r11, r12}\n\t" EMBER_SMLAD("r3", w, "r11")                                                              \
        EMBER_SMLAD("r4", w, "r12") "sxtb16 " w ", " w "\n\t" EMBER_SMLAD("r0", w, "r11") EMBER_SMLAD("r1", w, "r12")

#define SPLIT EMBER_SPLIT("r3", "r0", "r8") EMBER_SPLIT("r4", "r1", "r8")

#define FINISH(bits)                                                                                                   \
    "ldm sp, {r7, r8, r11, r12, lr}\n\t" EMBER_SCALE("r0", "r9", "r11") EMBER_SCALE("r3", "r10", "r11")                \
        EMBER_SCALE("r1", "r9", "r11") EMBER_SCALE("r4", "r10", "r11") EMBER_NARROW(bits, "r0")                        \
            EMBER_NARROW(bits, "r3") EMBER_NARROW(bits, "r1") EMBER_NARROW(bits, "r4")

#define LEFT                                                                                                           \
    "ldr r8, [sp, #52]\n\t" EMBER_LEFT("r0", "r8") EMBER_LEFT("r3", "r8") EMBER_LEFT("r1", "r8") EMBER_LEFT("r4", "r"  \
                                                                                                                  "8")

EMBER_DUAL_KERNEL void ember_dual_2x2(const ember_dual_block *block __attribute__((unused)))
{
    __asm__ volatile(
        EMBER_DUAL_ENTER
        "1:\tldm r6!, {r8, r9}\n\t"
        "ldm r7!, {r11, r12}\n\t"
        "smlad r3, r9, r11, r8\n\t"
        "smlad r4, r9, r12, r8\n\t"
        "sxtb16 r9, r9\n\t"
        "smlad r0, r9, r11, r8\n\t"
        "smlad r1, r9, r12, r8\n\t"
        "ldr pc, [sp, #20]\n\t"
        "ldr r8, [r6], #4\n\t" PAIR("r8") "ldr r8, [r6], #4\n\t" PAIR(
            "r8") "ldr pc, [sp, #24]\n"
                  "3:\t.rept 7\n\t"
                  "ldm r6!, {r8, r9, r10}\n\t" PAIR("r8") PAIR("r9") PAIR(
                      "r10") ".endr\n\t"
                             "ldr pc, [sp, #28]\n"
                             "4:\tldr r8, [sp, #36]\n\t"
                             "cmp r7, r8\n\t"
                             "bne.w 3b\n\t"
                             "ldr pc, [sp, #32]\n"
                             /* folded sums in r9 and r10 */
                             "5:\tsub r3, r3, r0\n\t"
                             "sub r4, r4, r1\n\t"
                             "ldrd r9, r10, [sp, #40]\n\t"
                             "add r9, r9, r3, asr #8\n\t"
                             "add r10, r10, r4, asr #8\n\t"
                             "strd r9, r10, [sp, #40]\n\t"
                             "mov r3, r0\n\t"
                             "mov r4, r1\n\t"
                             "ldr r8, [sp, #36]\n\t"
                             "cmp r7, r8\n\t"
                             "bne.w 3b\n\t"
                             "mov r8, #0\n\t"
                             "strd r8, r8, [sp, #40]\n\t"
                             "mov r3, r9\n\t"
                             "mov r4, r10\n\t"
                             "ldm r6!, {r8, r9, r10}\n\t"
                             "add r3, r8\n\t"
                             "add r4, r8\n\t"
                             "ldr pc, [sp, #32]\n"
                             "6:\tldm r6!, {r8, r9, r10}\n\t" SPLIT "7:\t" FINISH(
                                 "8") "bfi r0, r3, #8, #8\n\t"
                                      "bfi r1, r4, #8, #8\n\t"
                                      "strh r1, [r12, lr]\n\t"
                                      "strh r0, [r12], #2\n\t" EMBER_DUAL_NEXT(
                                          "r8") "8:\tldm r6!, {r8, r9, r10}\n\t" SPLIT
                                                "10:\t" FINISH(
                                                    "16") "pkhbt r0, r0, r3, lsl #16\n\t"
                                                          "pkhbt r1, r1, r4, lsl #16\n\t"
                                                          "str r1, [r12, lr]\n\t"
                                                          "str r0, [r12], #4\n\t" EMBER_DUAL_NEXT(
                                                              "r8") "11:\tldm r6!, {r8, r9, r10}\n\t" SPLIT "12:\t" LEFT
                                                                    "b.w 10b\n"
                                                                    "9:\t.hword 6b - 3b, 8b - 3b, 4b - 3b, 5b - 3b, 7b "
                                                                    "- 3b, 10b - 3b, 11b - 3b, 12b - 3b\n\t");
}

#else

void ember_dual_2x2(const ember_dual_block *block)
{
    ember_dual_plain(block, 2, 1);
}

#endif
