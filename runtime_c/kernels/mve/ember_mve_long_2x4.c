/* Two int16 rows by four int16 columns with sums of 64 bits: both products of q.attention of int16.
 *
 * VMLALDAVA adds eight products to a pair of core registers, of which there are enough for two rows by two columns; so
 * the rows pass twice. A tail-predicated loop reads exactly k elements of each.
 * Registers: r0 r1, r2 r3 sums of row 0, r4 - r7 of row 1, r8 r9 rows, r10 r12 columns, r11 arguments, lr counter.
 * Per MAC: 9 / 32 = 0.281 for a unit of 8 k, 23 / (4 k) for its ends.
 */
#include "ember_mve.h"

#if EMBER_HAS_MVE

#include "ember_mve_long.h"

/* Two columns, whose addresses and sums lie at these offsets. */
#define PASS(columns, sums0, sums1)                                                                                    \
    "ldrd r8, r9, [r11]\n\t"                                                                                           \
    "ldrd r10, r12, [r11, #" columns "]\n\t"                                                                           \
    "ldr lr, [r11, #24]\n\t"                                                                                           \
    "movs r0, #0\n\t"                                                                                                  \
    "movs r1, #0\n\t"                                                                                                  \
    "movs r2, #0\n\t"                                                                                                  \
    "movs r3, #0\n\t"                                                                                                  \
    "movs r4, #0\n\t"                                                                                                  \
    "movs r5, #0\n\t"                                                                                                  \
    "movs r6, #0\n\t"                                                                                                  \
    "movs r7, #0\n\t"                                                                                                  \
    "dlstp.16 lr, lr\n"                                                                                                \
    "1:\tvldrh.16 q0, [r8], #16\n\t"                                                                                   \
    "vldrh.16 q2, [r10], #16\n\t"                                                                                      \
    "vldrh.16 q1, [r9], #16\n\t"                                                                                       \
    "vmlaldava.s16 r0, r1, q0, q2\n\t"                                                                                 \
    "vldrh.16 q3, [r12], #16\n\t"                                                                                      \
    "vmlaldava.s16 r4, r5, q1, q2\n\t"                                                                                 \
    "vmlaldava.s16 r2, r3, q0, q3\n\t"                                                                                 \
    "vmlaldava.s16 r6, r7, q1, q3\n\t"                                                                                 \
    "letp lr, 1b\n\t"                                                                                                  \
    "ldrd r8, r9, [r11, #28]\n\t"                                                                                      \
    "ldr r10, [r11, #36]\n\t"                                                                                          \
    "asrl r0, r1, r8\n\t"                                                                                              \
    "asrl r2, r3, r8\n\t"                                                                                              \
    "asrl r4, r5, r9\n\t"                                                                                              \
    "asrl r6, r7, r9\n\t"                                                                                              \
    "strd r0, r2, [r10, #" sums0 "]\n\t"                                                                               \
    "strd r4, r6, [r10, #" sums1 "]\n\t"

__attribute__((noinline)) void ember_mve_long_2x4(ember_mve_long_block *block)
{
    register ember_mve_long_block *arguments __asm__("r11") = block;
    __asm__ volatile("str r7, [r11, #40]\n\t" PASS("8", "0", "16") PASS("16", "8", "24") "ldr r7, [r11, #40]"
                     :
                     : "r"(arguments)
                     : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r12", "lr", "cc", "memory", "q0",
                       "q1", "q2", "q3");
}

#else

typedef char ember_mve_is_not_here; /* a file must hold something */

#endif
