/* One row by four columns of a q.matmul on dual-column weights: layers of a single row (heads, decoders).
 *
 * Registers: r0 r1 p and r2 r3 q (of columns 0 1 and 2 3), r6 stream, r7 panel, r4 r5 r8 r9 weights, r10-r12 lr
 * activations; all else at [sp].
 * Unit: 4 pairs (8 k): LDM of 4 activations, 2 x (LDM of 4 weight words, 8 SMLAD, 4 SXTB16) = 27 instructions for
 * 32 MACs = 0.844: every weight is decoded for one row.
 * Stream of a block: biases 0 and 2, words [pairs][columns 0 1, columns 2 3], biases 1 and 3, m 0, 1, 2, 3.
 * Predicted: 0.844 + 29 / (4 k) a MAC, and 0.5 / n for the panel, 0.873 at (1,256,1024); measured 0.879.
 */
#include "ember_dual_asm.h"
#include "ember_dual_plain.h"

#if EMBER_HAS_ARMV7EM

#define PAIR(w0, w1, x)                                                                                                \
    EMBER_SMLAD("r2", w0, x)                                                                                           \
    EMBER_SMLAD("r3", w1, x)                                                                                           \
    "sxtb16 " w0 ", " w0 "\n\tsxtb16 " w1 ", " w1 "\n\t" EMBER_SMLAD("r0", w0, x) EMBER_SMLAD("r1", w1, x)

#define SINGLE "ldr r10, [r7], #4\n\tldm r6!, {r8, r9}\n\t" PAIR("r8", "r9", "r10")

#define SPLIT EMBER_SPLIT("r2", "r0", "r4") EMBER_SPLIT("r3", "r1", "r5")

#define FINISH(bits)                                                                                                   \
    "ldm sp, {r4, r5, r7, r12}\n\t" EMBER_SCALE("r0", "r8", "r7") EMBER_SCALE("r2", "r9", "r7")                        \
        EMBER_SCALE("r1", "r10", "r7") EMBER_SCALE("r3", "r11", "r7") EMBER_NARROW(bits, "r0")                         \
            EMBER_NARROW(bits, "r2") EMBER_NARROW(bits, "r1") EMBER_NARROW(bits, "r3") "mov r7, r4\n\t"

#define LEFT                                                                                                           \
    "ldr r4, [sp, #52]\n\t" EMBER_LEFT("r0", "r4") EMBER_LEFT("r2", "r4") EMBER_LEFT("r1", "r4") EMBER_LEFT("r3", "r"  \
                                                                                                                  "4")

EMBER_DUAL_KERNEL void ember_dual_1x4(const ember_dual_block *block __attribute__((unused)))
{
    __asm__ volatile(
        EMBER_DUAL_ENTER
        "1:\tldm r6!, {r0, r1}\n\t"
        "mov r2, r0\n\t"
        "mov r3, r1\n\t"
        "ldr pc, [sp, #20]\n\t" SINGLE SINGLE SINGLE "ldr pc, [sp, #24]\n"
        "3:\t.rept 16\n\t"
        "ldm r7!, {r10, r11, r12, lr}\n\t"
        "ldm r6!, {r4, r5, r8, r9}\n\t" PAIR("r4", "r5", "r10")
            PAIR("r8", "r9", "r11") "ldm r6!, {r4, r5, r8, r9}\n\t" PAIR("r4", "r5", "r12")
                PAIR("r8", "r9",
                     "lr") ".endr\n\t"
                           "ldr pc, [sp, #28]\n"
                           "4:\tldr r8, [sp, #36]\n\t"
                           "cmp r7, r8\n\t"
                           "bne.w 3b\n\t"
                           "ldr pc, [sp, #32]\n"
                           /* folded sums in r9 and r10 */
                           "5:\tsub r2, r2, r0\n\t"
                           "sub r3, r3, r1\n\t"
                           "ldrd r9, r10, [sp, #40]\n\t"
                           "add r9, r9, r2, asr #8\n\t"
                           "add r10, r10, r3, asr #8\n\t"
                           "strd r9, r10, [sp, #40]\n\t"
                           "mov r2, r0\n\t"
                           "mov r3, r1\n\t"
                           "ldr r8, [sp, #36]\n\t"
                           "cmp r7, r8\n\t"
                           "bne.w 3b\n\t"
                           "mov r8, #0\n\t"
                           "strd r8, r8, [sp, #40]\n\t"
                           "mov r2, r9\n\t"
                           "mov r3, r10\n\t"
                           "ldm r6!, {r4, r5, r8, r9, r10, r11}\n\t"
                           "add r2, r4\n\t"
                           "add r3, r5\n\t"
                           "ldr pc, [sp, #32]\n"
                           "6:\tldm r6!, {r4, r5, r8, r9, r10, r11}\n\t" SPLIT "7:\t" FINISH(
                               "8") "bfi r0, r2, #8, #8\n\t"
                                    "bfi r1, r3, #8, #8\n\t"
                                    "pkhbt r0, r0, r1, lsl #16\n\t"
                                    "str r0, [r12], #4\n\t" EMBER_DUAL_NEXT(
                                        "r5") "8:\tldm r6!, {r4, r5, r8, r9, r10, r11}\n\t" SPLIT
                                              "10:\t" FINISH(
                                                  "16") "pkhbt r0, r0, r2, lsl #16\n\t"
                                                        "pkhbt r1, r1, r3, lsl #16\n\t"
                                                        "str r1, [r12, #4]\n\t"
                                                        "str r0, [r12], #8\n\t" EMBER_DUAL_NEXT(
                                                            "r5") "11:\tldm r6!, {r4, r5, r8, r9, r10, r11}\n\t" SPLIT
                                                                  "12:\t" LEFT "b.w 10b\n"
                                                                  "9:\t.hword 6b - 3b, 8b - 3b, 4b - 3b, 5b - 3b, 7b - "
                                                                  "3b, 10b - 3b, 11b - 3b, 12b - 3b\n\t");
}

#else

void ember_dual_1x4(const ember_dual_block *block)
{
    ember_dual_plain(block, 1, 2);
}

#endif
