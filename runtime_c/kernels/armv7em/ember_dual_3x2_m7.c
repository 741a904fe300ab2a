/* Three rows by two columns of a q.matmul on dual-column weights, scheduled for Cortex-M7.
 *
 * Registers and stream as in ember_dual_3x2.c. The M7 issues a load beside a multiplication, but a load of several
 * words alone: so every word has an LDR of its own, put between the SMLADs, and a weight is loaded one pair ahead (in
 * turn to r8 and r9; behind the last word that is bias 1).
 * Unit: 2 pairs (4 k): 22 instructions for 24 MACs, about 12.5 modelled cycles = 0.52 where ember_dual_3x2 takes 0.63.
 * Measured at 128,128,128, ends of blocks included: 0.957 instructions a MAC, 0.628 modelled cycles.
 */
#include "ember_dual_asm.h"
#include "ember_dual_plain.h"

#if EMBER_HAS_ARMV7EM

#define PAIR(w, next)                                                                                                  \
    "ldr r11, [r7], #4\n\t"                                                                                            \
    "sxtb16 r10, " w "\n\t"                                                                                            \
    "ldr r12, [r7], #4\n\t"                                                                                            \
    "smlad r3, " w ", r11, r3\n\t"                                                                                     \
    "ldr lr, [r7], #4\n\t"                                                                                             \
    "smlad r0, r10, r11, r0\n\t"                                                                                       \
    "smlad r4, " w ", r12, r4\n\t"                                                                                     \
    "ldr " next ", [r6], #4\n\t"                                                                                       \
    "smlad r1, r10, r12, r1\n\t"                                                                                       \
    "smlad r5, " w ", lr, r5\n\t"                                                                                      \
    "smlad r2, r10, lr, r2\n\t"

#define SPLIT EMBER_SPLIT("r3", "r0", "r8") EMBER_SPLIT("r4", "r1", "r8") EMBER_SPLIT("r5", "r2", "r8")

#define FINISH(bits)                                                                                                   \
    "ldm sp, {r7, r8, r11, r12, lr}\n\t" EMBER_SCALE("r0", "r9", "r11") EMBER_SCALE("r3", "r10", "r11")                \
        EMBER_SCALE("r1", "r9", "r11") EMBER_SCALE("r4", "r10", "r11") EMBER_SCALE("r2", "r9", "r11")                  \
            EMBER_SCALE("r5", "r10", "r11") EMBER_NARROW(bits, "r0") EMBER_NARROW(bits, "r3") EMBER_NARROW(bits, "r1") \
                EMBER_NARROW(bits, "r4") EMBER_NARROW(bits, "r2") EMBER_NARROW(bits, "r5")

#define LEFT                                                                                                           \
    "ldr r8, [sp, #52]\n\t" EMBER_LEFT("r0", "r8") EMBER_LEFT("r3", "r8") EMBER_LEFT("r1", "r8")                       \
        EMBER_LEFT("r4", "r8") EMBER_LEFT("r2", "r8") EMBER_LEFT("r5", "r8")

EMBER_DUAL_KERNEL void ember_dual_3x2_m7(const ember_dual_block *block __attribute__((unused)))
{
    __asm__ volatile(
        EMBER_DUAL_ENTER
        "1:\tldm r6!, {r8, r9}\n\t"
        "ldr r11, [r7], #4\n\t"
        "sxtb16 r10, r9\n\t"
        "ldr r12, [r7], #4\n\t"
        "smlad r3, r9, r11, r8\n\t"
        "ldr lr, [r7], #4\n\t"
        "smlad r0, r10, r11, r8\n\t"
        "smlad r4, r9, r12, r8\n\t"
        "smlad r1, r10, r12, r8\n\t"
        "smlad r5, r9, lr, r8\n\t"
        "smlad r2, r10, lr, r8\n\t"
        "ldr r8, [r6], #4\n\t"
        "ldr pc, [sp, #20]\n\t" PAIR(
            "r8",
            "r9") "mov.w r8, r9\n\t"
                  "ldr pc, [sp, #24]\n"
                  "3:\t.rept 16\n\t" PAIR("r8", "r9") PAIR(
                      "r9",
                      "r8") ".endr\n\t"
                            "ldr pc, [sp, #28]\n"
                            "4:\tldr r9, [sp, #36]\n\t"
                            "cmp r7, r9\n\t"
                            "bne.w 3b\n\t"
                            "ldr pc, [sp, #32]\n"
                            /* folded sums in r9-r11; r8 is the next weight or bias 1 */
                            "5:\tsub r3, r3, r0\n\t"
                            "sub r4, r4, r1\n\t"
                            "sub r5, r5, r2\n\t"
                            "add r12, sp, #40\n\t"
                            "ldm r12, {r9, r10, r11}\n\t"
                            "add r9, r9, r3, asr #8\n\t"
                            "add r10, r10, r4, asr #8\n\t"
                            "add r11, r11, r5, asr #8\n\t"
                            "stm r12, {r9, r10, r11}\n\t"
                            "mov r3, r0\n\t"
                            "mov r4, r1\n\t"
                            "mov r5, r2\n\t"
                            "ldr lr, [sp, #36]\n\t"
                            "cmp r7, lr\n\t"
                            "bne.w 3b\n\t"
                            "add r3, r8, r9\n\t"
                            "add r4, r8, r10\n\t"
                            "add r5, r8, r11\n\t"
                            "mov r9, #0\n\t"
                            "mov r10, r9\n\t"
                            "mov r11, r9\n\t"
                            "stm r12, {r9, r10, r11}\n\t"
                            "ldm r6!, {r9, r10}\n\t"
                            "ldr pc, [sp, #32]\n"
                            "6:\tldm r6!, {r9, r10}\n\t" SPLIT "7:\t" FINISH(
                                "8") "bfi r0, r3, #8, #8\n\t"
                                     "bfi r1, r4, #8, #8\n\t"
                                     "bfi r2, r5, #8, #8\n\t"
                                     "strh r1, [r12, lr]\n\t"
                                     "strh r2, [r12, lr, lsl #1]\n\t"
                                     "strh r0, [r12], #2\n\t" EMBER_DUAL_NEXT(
                                         "r8") "8:\tldm r6!, {r9, r10}\n\t" SPLIT
                                               "10:\t" FINISH(
                                                   "16") "pkhbt r0, r0, r3, lsl #16\n\t"
                                                         "pkhbt r1, r1, r4, lsl #16\n\t"
                                                         "pkhbt r2, r2, r5, lsl #16\n\t"
                                                         "str r1, [r12, lr]\n\t"
                                                         "str r2, [r12, lr, lsl #1]\n\t"
                                                         "str r0, [r12], #4\n\t" EMBER_DUAL_NEXT(
                                                             "r8") "11:\tldm r6!, {r9, r10}\n\t" SPLIT "12:\t" LEFT
                                                                   "b.w 10b\n"
                                                                   "9:\t.hword 6b - 3b, 8b - 3b, 4b - 3b, 5b - 3b, 7b "
                                                                   "- 3b, 10b - 3b, 11b - 3b, 12b - 3b\n\t");
}

#else

void ember_dual_3x2_m7(const ember_dual_block *block)
{
    ember_dual_plain(block, 3, 1);
}

#endif
