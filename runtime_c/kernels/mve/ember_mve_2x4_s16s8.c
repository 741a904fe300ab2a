/* Two int16 rows by four columns of int8, k a multiple of 8: the weighted sums of q.attention.
 *
 * VLDRB.S16 widens the columns as it loads them, so they keep one byte an element. Any operands; sums wrap at 32 bits,
 * so only the whole sum has to fit. block->skip bytes of weights are passed over after each block.
 * Per MAC: 14 / 64 = 0.219 for the unit, 2 / 256 for the loop, 15 / (8 k) for a block.
 */
#include "ember_mve.h"

#if EMBER_HAS_MVE

#define ROW(Q, ADDRESS) "vldrh.16 " Q ", [" ADDRESS "], #16\n\t"
#define WEIGHT(Q) "vldrb.s16 " Q ", [r1], #8\n\t"
#define MAC "vmladava.s16"
#define AFTER                                                                                                          \
    "ldr r7, [r11, #40]\n\t"                                                                                           \
    "add r1, r7\n\t"
#define TAIL ""

#include "ember_mve_2x4.h"

__attribute__((noinline)) void ember_mve_2x4_s16s8(ember_mve_block *block)
{
    register ember_mve_block *arguments __asm__("r11") = block;
    __asm__ volatile(EMBER_MVE_2X4 : : "r"(arguments) : EMBER_MVE_CLOBBERS);
}

#else

typedef char ember_mve_is_not_here; /* a file must hold something */

#endif
