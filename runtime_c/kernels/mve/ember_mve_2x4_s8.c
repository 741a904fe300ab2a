/* Two int8 rows by four columns of packed int8 weights.
 *
 * Any k >= 1 and any operands; the rows' tail is read by predicate. Sums wrap at 32 bits, so only the whole sum has to
 * fit. On return block->weights is behind the blocks.
 * Per MAC: 14 / 128 = 0.109 for the unit, 2 / 512 for the loop, 13 / (8 k) for a block.
 * Measured at 128,128,128: 0.125 (predicted 0.126).
 */
#include "ember_mve.h"

#if EMBER_HAS_MVE

#define ROW(Q, ADDRESS) "vldrb.8 " Q ", [" ADDRESS "], #16\n\t"
#define WEIGHT(Q) "vldrb.8 " Q ", [r1], #16\n\t"
#define MAC "vmladava.s8"
#define AFTER ""

/* The next weight vector of a tail of r7 elements, times both rows. */
#define COLUMN(A, B)                                                                                                   \
    "vldrb.8 q2, [r1]\n\t"                                                                                             \
    "add r1, r7\n\t"                                                                                                   \
    "vmladava.s8 " A ", q0, q2\n\t"                                                                                    \
    "vmladava.s8 " B ", q1, q2\n\t"

/* Elements that the predicate leaves out are loaded as 0, so what follows the weights' tail does not count. */
#define TAIL                                                                                                           \
    "ldr r7, [r11, #32]\n\t"                                                                                           \
    "cmp r7, #0\n\t"                                                                                                   \
    "beq 4b\n\t"                                                                                                       \
    "vctp.8 r7\n\t"                                                                                                    \
    "vpstt\n\t"                                                                                                        \
    "vldrbt.8 q0, [r3]\n\t"                                                                                            \
    "vldrbt.8 q1, [r5]\n\t" COLUMN("r0", "r8") COLUMN("r2", "r10") COLUMN("r4", "r12") COLUMN("r6", "lr")

#include "ember_mve_2x4.h"

__attribute__((noinline)) void ember_mve_2x4_s8(ember_mve_block *block)
{
    register ember_mve_block *arguments __asm__("r11") = block;
    __asm__ volatile(EMBER_MVE_2X4 : : "r"(arguments) : EMBER_MVE_CLOBBERS);
}

#else

typedef char ember_mve_is_not_here; /* a file must hold something */

#endif
