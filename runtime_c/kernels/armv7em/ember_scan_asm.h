/* The cores of q.selective_scan: h = sat16(((decay * h) >> 15) + ((u * b) >> 15) + 1), acc += c * h.
 *
 * Registers: r6 decays, r7 h, r8 log_a, r9 2u, r10 acc, r11 b and c, r12 = 1, lr records, r0-r5 work: offsets become
 * decays become new states in r0-r3. [sp] last, #4 body, #8 tail.
 * Unit: four states in 25 instructions; 26 where h may lie at any place, 21 where all states share a decay.
 * Control: LDM of a record ends in PC, so that a channel costs one instruction to begin and needs no counter; body is
 * a place in four unrolled blocks. No instruction of the blocks changes the flags: NE means that more passes follow.
 * Tails come first, as a pair and a single state.
 * A channel: (25 * states / 4) + 2, + 15 for two states and + 9 for one: 6.4 a state for 16, 7.0 for 6.
 * The whole op for 128 channels of 16: 8.15 predicted (15.4 more in front, 10.4 in back), 8.17 measured.
 *
 * Private to the Armv7E-M kernels.
 */
#ifndef EMBER_SCAN_ASM_H
#define EMBER_SCAN_ASM_H

#define EMBER_SCAN_KERNEL __attribute__((naked, noinline, aligned(4)))

/* Four, two and one of the products decay * h: of decays by log_a, and of one decay in r6. */
#define EMBER_SCAN_KEPT_FOUR(load)                                                                                     \
    "ldm r8!, {r0-r3}\n\t" load "ldrh r0, [r6, r0]\n\t"                                                                \
    "ldrh r1, [r6, r1]\n\t"                                                                                            \
    "ldrh r2, [r6, r2]\n\t"                                                                                            \
    "ldrh r3, [r6, r3]\n\t"                                                                                            \
    "smlawb r0, r0, r4, r12\n\t"                                                                                       \
    "smlawt r1, r1, r4, r12\n\t"                                                                                       \
    "smlawb r2, r2, r5, r12\n\t"                                                                                       \
    "smlawt r3, r3, r5, r12\n\t"
#define EMBER_SCAN_KEPT_TWO                                                                                            \
    "ldrd r0, r1, [r8], #8\n\t"                                                                                        \
    "ldr r4, [r7]\n\t"                                                                                                 \
    "ldrh r0, [r6, r0]\n\t"                                                                                            \
    "ldrh r1, [r6, r1]\n\t"                                                                                            \
    "smlawb r0, r0, r4, r12\n\t"                                                                                       \
    "smlawt r1, r1, r4, r12\n\t"
#define EMBER_SCAN_KEPT_ONE                                                                                            \
    "ldr r0, [r8], #4\n\t"                                                                                             \
    "ldrsh r4, [r7]\n\t"                                                                                               \
    "ldrh r0, [r6, r0]\n\t"                                                                                            \
    "smlawb r0, r0, r4, r12\n\t"
#define EMBER_SCAN_ALIKE_FOUR(load)                                                                                    \
    load "smlawb r0, r6, r4, r12\n\t"                                                                                  \
         "smlawt r1, r6, r4, r12\n\t"                                                                                  \
         "smlawb r2, r6, r5, r12\n\t"                                                                                  \
         "smlawt r3, r6, r5, r12\n\t"
#define EMBER_SCAN_ALIKE_TWO                                                                                           \
    "ldr r4, [r7]\n\t"                                                                                                 \
    "smlawb r0, r6, r4, r12\n\t"                                                                                       \
    "smlawt r1, r6, r4, r12\n\t"
#define EMBER_SCAN_ALIKE_ONE                                                                                           \
    "ldrsh r4, [r7]\n\t"                                                                                               \
    "smlawb r0, r6, r4, r12\n\t"

/* Four states of a row of h at a multiple of 4 bytes, and at any place. */
#define EMBER_SCAN_LOAD_ALIGNED "ldrd r4, r5, [r7]\n\t"
#define EMBER_SCAN_STORE_ALIGNED "strd r0, r1, [r7], #8\n\t"
#define EMBER_SCAN_LOAD "ldr r4, [r7]\n\tldr r5, [r7, #4]\n\t"
#define EMBER_SCAN_STORE "str r0, [r7], #4\n\tstr r1, [r7], #4\n\t"

#define EMBER_SCAN_FOUR(kept, store)                                                                                   \
    kept "ldrd r4, r5, [r11], #8\n\t"                                                                                  \
         "smlawb r0, r9, r4, r0\n\t"                                                                                   \
         "smlawt r1, r9, r4, r1\n\t"                                                                                   \
         "smlawb r2, r9, r5, r2\n\t"                                                                                   \
         "smlawt r3, r9, r5, r3\n\t"                                                                                   \
         "ssat r0, #16, r0\n\t"                                                                                        \
         "ssat r1, #16, r1\n\t"                                                                                        \
         "ssat r2, #16, r2\n\t"                                                                                        \
         "ssat r3, #16, r3\n\t"                                                                                        \
         "ldrd r4, r5, [r11], #8\n\t"                                                                                  \
         "pkhbt r0, r0, r1, lsl #16\n\t"                                                                               \
         "pkhbt r1, r2, r3, lsl #16\n\t"                                                                               \
         "smlad r10, r0, r4, r10\n\t"                                                                                  \
         "smlad r10, r1, r5, r10\n\t" store
#define EMBER_SCAN_TWO(kept)                                                                                           \
    kept "ldrd r4, r5, [r11], #8\n\t"                                                                                  \
         "smlawb r0, r9, r4, r0\n\t"                                                                                   \
         "smlawt r1, r9, r4, r1\n\t"                                                                                   \
         "ssat r0, #16, r0\n\t"                                                                                        \
         "ssat r1, #16, r1\n\t"                                                                                        \
         "pkhbt r0, r0, r1, lsl #16\n\t"                                                                               \
         "smlad r10, r0, r5, r10\n\t"                                                                                  \
         "str r0, [r7], #4\n\t"

/* b and c of a single state share a word. */
#define EMBER_SCAN_ONE(kept)                                                                                           \
    kept "ldr r5, [r11], #4\n\t"                                                                                       \
         "smlawb r0, r9, r5, r0\n\t"                                                                                   \
         "ssat r0, #16, r0\n\t"                                                                                        \
         "smlabt r10, r0, r5, r10\n\t"                                                                                 \
         "strh r0, [r7], #2\n\t"

/* Goes on to further passes, if the states may need them. */
#define EMBER_SCAN_MORE "bne.n 4f\n\t"

#define EMBER_SCAN_NEXT "ldm lr!, {r6, r9, r10, r11, pc}\n"

/* The whole function `name` of units of 4, 2 and 1 states. Its entries, from its start, are the table `name`_at: passes,
 * their end, a channel of several passes, tails of 1, 2 and 3, the end of the records. */
#define EMBER_SCAN_CORE(name, more, four, two, one)                                                                    \
    ".syntax unified\n\t"                                                                                              \
    "push {r4-r11, lr}\n\t"                                                                                            \
    "ldm r3, {r4-r6}\n\t"                                                                                              \
    "push {r4-r6}\n\t"                                                                                                 \
    "mov lr, r0\n\t"                                                                                                   \
    "mov r7, r1\n\t"                                                                                                   \
    "mov r8, r2\n\t"                                                                                                   \
    "mov r12, #1\n\t"                                                                                                  \
    "cmp r0, r0\n\t" EMBER_SCAN_NEXT "1:\t.rept 4\n\t" four ".endr\n"                                                  \
    "2:\t" more "str r10, [lr, #-12]\n\t" EMBER_SCAN_NEXT "3:\tcmp lr, #0\n\t"                                         \
    "ldr pc, [sp, #8]\n"                                                                                               \
    "4:\tldr r4, [sp]\n\t"                                                                                             \
    "cmp r11, r4\n\t"                                                                                                  \
    "b.w 1b\n"                                                                                                         \
    "7:\t" two "5:\t" one "ldr pc, [sp, #4]\n"                                                                         \
    "6:\t" two "ldr pc, [sp, #4]\n"                                                                                    \
    "8:\tadd sp, #12\n\t"                                                                                              \
    "pop {r4-r11, pc}\n\t"                                                                                             \
    ".globl " #name "_at\n\t"                                                                                          \
    ".p2align 1\n" #name "_at:\n\t"                                                                                    \
    ".hword 1b - " #name ", 2b - " #name ", 3b - " #name ", 5b - " #name ", 6b - " #name ", 7b - " #name               \
    ", 8b - " #name "\n\t"

#endif
