/* Two int16 rows by four columns of int8: the weighted sums of q.attention, q.batch_matmul and q.matmul of int16.
 *
 * VLDRB.S16 widens the columns as it loads them, so they keep one byte an element. Any operands; sums wrap at 32 bits,
 * so only the whole sum has to fit. block->skip bytes of weights are passed over after each block.
 * Per MAC: 14 / 64 = 0.219 for the unit, 2 / 256 for the loop, 15 / (8 k) for a block.
 * Measured at 64,128,128: 0.241 (predicted 0.242).
 */
#include "ember_mve.h"

#if EMBER_HAS_MVE

#define ROW(Q, ADDRESS) "vldrh.16 " Q ", [" ADDRESS "], #16\n\t"
#define WEIGHT(Q) "vldrb.s16 " Q ", [r1], #8\n\t"
#define MAC "vmladava.s16"
#define AFTER                                                                                                          \
    "ldr r7, [r11, #40]\n\t"                                                                                           \
    "add r1, r7\n\t"

/* The next weight vector of a tail of r7 elements, times both rows. */
#define COLUMN(A, B)                                                                                                   \
    "vldrb.s16 q2, [r1]\n\t"                                                                                           \
    "add r1, r7\n\t"                                                                                                   \
    "vmladava.s16 " A ", q0, q2\n\t"                                                                                   \
    "vmladava.s16 " B ", q1, q2\n\t"

/* Elements that the predicate leaves out are loaded as 0, so what follows the weights' tail does not count. */
#define TAIL                                                                                                           \
    "ldr r7, [r11, #32]\n\t"                                                                                           \
    "cmp r7, #0\n\t"                                                                                                   \
    "beq 4b\n\t"                                                                                                       \
    "vctp.16 r7\n\t"                                                                                                   \
    "vpstt\n\t"                                                                                                        \
    "vldrht.16 q0, [r3]\n\t"                                                                                           \
    "vldrht.16 q1, [r5]\n\t" COLUMN("r0", "r8") COLUMN("r2", "r10") COLUMN("r4", "r12") COLUMN("r6", "lr")

#include "ember_mve_2x4.h"

__attribute__((noinline)) void ember_mve_2x4_s16s8(ember_mve_block *block)
{
    register ember_mve_block *arguments __asm__("r11") = block;
    __asm__ volatile(EMBER_MVE_2X4 : : "r"(arguments) : EMBER_MVE_CLOBBERS);
}

#else

typedef char ember_mve_is_not_here; /* a file must hold something */

#endif
