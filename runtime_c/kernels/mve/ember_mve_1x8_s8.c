/* One int8 row by eight columns: two blocks of four columns of the packed int8 weights, read side by side.
 *
 * Any k >= 1 and any operands; an even number of blocks; block->row1 is not used. On return block->weights is behind
 * the blocks. Compared with four columns, one load of the row serves twice the products.
 * Registers: r0 r2 r4 r6 sums of the first block, r8 r10 r12 lr of the second; r5 r1 their weights, r3 row, r7 counter,
 * r9 sums out, r11 arguments; q0 q1 the row, double buffered, q2 - q5 weights.
 * Per MAC: 17 / 128 = 0.133 for the unit, 2 / 512 for the loop, 14 / (8 k) for a pair of blocks.
 * Measured at 1,256,1024: 0.144 (predicted 0.144).
 */
#include "ember_mve_block.h"

#if EMBER_HAS_MVE

#define ROW(Q) "vldrb.8 " Q ", [r3], #16\n\t"
#define FIRST(Q) "vldrb.8 " Q ", [r5], #16\n\t"
#define SECOND(Q) "vldrb.8 " Q ", [r1], #16\n\t"
#define MAC(A, X, W) "vmladava.s8 " A ", " X ", " W "\n\t"

/* One unit of row X, its first two weights in q2 and q3; NEXT1 .. NEXT3 load the next unit. */
#define UNIT(X, NEXT1, NEXT2, NEXT3)                                                                                   \
    MAC("r0", X, "q2")                                                                                                 \
    FIRST("q4")                                                                                                        \
    MAC("r8", X, "q3")                                                                                                 \
    SECOND("q5")                                                                                                       \
    MAC("r2", X, "q4")                                                                                                 \
    FIRST("q2")                                                                                                        \
    MAC("r10", X, "q5")                                                                                                \
    SECOND("q3")                                                                                                       \
    MAC("r4", X, "q2")                                                                                                 \
    FIRST("q4") MAC("r12", X, "q3") SECOND("q5") NEXT1 MAC("r6", X, "q4") NEXT2 MAC("lr", X, "q5") NEXT3

#define UNIT_THEN(X, Y) UNIT(X, ROW(Y), FIRST("q2"), SECOND("q3"))
#define LAST(X) UNIT(X, "subs r7, #1\n\t", "", "")
#define START ROW("q0") FIRST("q2") SECOND("q3")
#define FOUR_UNITS START UNIT_THEN("q0", "q1") UNIT_THEN("q1", "q0") UNIT_THEN("q0", "q1") LAST("q1")
#define ONE_UNIT START LAST("q0")

/* The next weight vectors of a tail of r7 elements. */
#define COLUMN(A, B)                                                                                                   \
    "vldrb.8 q2, [r5]\n\t"                                                                                             \
    "vldrb.8 q3, [r1]\n\t"                                                                                             \
    "add r1, r7\n\t"                                                                                                   \
    "add r5, r7\n\t" MAC(A, "q0", "q2") MAC(B, "q0", "q3")

#define TAIL                                                                                                           \
    "vctp.8 r7\n\t"                                                                                                    \
    "vpst\n\t"                                                                                                         \
    "vldrbt.8 q0, [r3]\n\t" COLUMN("r0", "r8") COLUMN("r2", "r10") COLUMN("r4", "r12") COLUMN("r6", "lr")

__attribute__((noinline)) void ember_mve_1x8_s8(ember_mve_block *block)
{
    register ember_mve_block *arguments __asm__("r11") = block;
    __asm__ volatile("str r7, [r11, #44]\n\t"
                     "ldrd r1, r9, [r11, #8]\n"
                     "1:\tldr r7, [r11, #36]\n\t"
                     "ldr r3, [r11]\n\t"
                     "mov r5, r1\n\t"
                     "add r1, r5, r7\n\t"
                     "ldm r1!, {r8, r10, r12, lr}\n\t"
                     "ldm r5!, {r0, r2, r4, r6}\n\t"
                     "ldr r7, [r11, #20]\n\t"
                     "cmp r7, #0\n\t"
                     "beq 3f\n"
                     "2:\t" FOUR_UNITS "bne 2b\n"
                     "3:\tldr r7, [r11, #24]\n\t"
                     "cbnz r7, 5f\n"
                     "4:\tstm r9!, {r0, r2, r4, r6, r8, r10, r12, lr}\n\t"
                     "ldr r7, [r11, #16]\n\t"
                     "cmp r9, r7\n\t"
                     "bne 1b\n\t"
                     "str r1, [r11, #8]\n\t"
                     "ldr r7, [r11, #44]\n\t"
                     "b 8f\n"
                     "5:\tldr r7, [r11, #28]\n\t"
                     "cbz r7, 7f\n"
                     "6:\t" ONE_UNIT "bne 6b\n"
                     "7:\tldr r7, [r11, #32]\n\t"
                     "cmp r7, #0\n\t"
                     "beq 4b\n\t" TAIL "b 4b\n"
                     "8:"
                     :
                     : "r"(arguments)
                     : EMBER_MVE_CLOBBERS);
}

#else

typedef char ember_mve_is_not_here; /* a file must hold something */

#endif
