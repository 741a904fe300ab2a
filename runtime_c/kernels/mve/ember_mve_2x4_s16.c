/* Two int16 rows by four columns of int16, k a multiple of 8: the weighted sums of q.attention.
 *
 * Any operands; sums wrap at 32 bits, so only the whole sum has to fit. On return block->weights is behind the blocks.
 * Per MAC: 14 / 64 = 0.219 for the unit, 2 / 256 for the loop, 13 / (8 k) for a block.
 */
#include "ember_mve_2x4.h"

#if EMBER_HAS_MVE

__attribute__((noinline)) void ember_mve_2x4_s16(ember_mve_block *block)
{
    register ember_mve_block *arguments __asm__("r11") = block;
    __asm__ volatile(EMBER_MVE_2X4("vldrh.16", "vmladava.s16", "") : : "r"(arguments) : EMBER_MVE_CLOBBERS);
}

#else

typedef char ember_mve_is_not_here; /* a file must hold something */

#endif
