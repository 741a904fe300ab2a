/* From the sums of a block kernel to outputs: 16 columns of one or two rows at a time.
 *
 * VRMULH is (sum * m + 2^31) >> 32, the runtime's requantization. VQMOVNB/T put their operand into every second lane:
 * with columns n, n + 4, n + 8 and n + 12 in one vector of sums, two steps of narrowing leave 16 bytes in order, and
 * one step followed by VST2 does for 16 halves. Fewer than 16 columns at the end are in natural order, four at a time,
 * by predicate. Assembly because gcc 12 keeps the eight vectors in memory.
 * Registers: q0 - q3 multipliers, q4 - q7 a row's sums.
 * Per output of two rows: int8 40 / 32 = 1.25, int16 34 / 32 = 1.06 (1.31 with a zero point).
 *
 * Private to the Helium kernels.
 */
#ifndef EMBER_MVE_NARROW_H
#define EMBER_MVE_NARROW_H

#include <arm_mve.h>

#include "ember_math.h"
#include "ember_mve.h"

enum { EMBER_MVE_SUMS = 256 }; /* int32 of scratch that a matmul works with */

#define EMBER_MVE_LOAD_M                                                                                               \
    "vldrw.32 q0, [%[m]], #16\n\t"                                                                                     \
    "vldrw.32 q1, [%[m]], #16\n\t"                                                                                     \
    "vldrw.32 q2, [%[m]], #16\n\t"                                                                                     \
    "vldrw.32 q3, [%[m]], #16\n\t"

/* A row's sums times the multipliers; O0 .. O2 are byte offsets, LAST the address of the fourth vector. */
#define EMBER_MVE_SCALE(O0, O1, O2, LAST)                                                                              \
    "vldrw.32 q4, [%[sums], #" O0 "]\n\t"                                                                              \
    "vldrw.32 q5, [%[sums], #" O1 "]\n\t"                                                                              \
    "vrmulh.s32 q4, q4, q0\n\t"                                                                                        \
    "vldrw.32 q6, [%[sums], #" O2 "]\n\t"                                                                              \
    "vrmulh.s32 q5, q5, q1\n\t"                                                                                        \
    "vldrw.32 q7, " LAST "\n\t"                                                                                        \
    "vrmulh.s32 q6, q6, q2\n\t"                                                                                        \
    "vrmulh.s32 q7, q7, q3\n\t"

/* The rows of the two-row kernel, the first one advancing to the next 16 columns, and of the one-row kernel. */
#define EMBER_MVE_SCALE_0 EMBER_MVE_SCALE("0", "32", "64", "[%[sums], #96]") "adds %[sums], #128\n\t"
#define EMBER_MVE_SCALE_1 EMBER_MVE_SCALE("-112", "-80", "-48", "[%[sums], #-16]")
#define EMBER_MVE_SCALE_ONLY EMBER_MVE_SCALE("0", "16", "32", "[%[sums], #48]") "adds %[sums], #64\n\t"

/* q4: columns 0, 2, .. 14; q5: columns 1, 3, .. 15. */
#define EMBER_MVE_HALVES                                                                                               \
    "vqmovnb.s32 q4, q4\n\t"                                                                                           \
    "vqmovnb.s32 q5, q5\n\t"                                                                                           \
    "vqmovnt.s32 q4, q6\n\t"                                                                                           \
    "vqmovnt.s32 q5, q7\n\t"

/* 16 weighted sums of q.attention, shifted and multiplied by the row's factor. */
#define EMBER_MVE_MIX                                                                                                  \
    "vldrw.32 q4, [%[sums]], #32\n\t"                                                                                  \
    "vldrw.32 q5, [%[sums]], #32\n\t"                                                                                  \
    "vldrw.32 q6, [%[sums]], #32\n\t"                                                                                  \
    "vldrw.32 q7, [%[sums]], #32\n\t"                                                                                  \
    "vshl.s32 q4, %[shift]\n\t"                                                                                        \
    "vshl.s32 q5, %[shift]\n\t"                                                                                        \
    "vshl.s32 q6, %[shift]\n\t"                                                                                        \
    "vshl.s32 q7, %[shift]\n\t"                                                                                        \
    "vrmulh.s32 q4, q4, %q[m]\n\t"                                                                                     \
    "vrmulh.s32 q5, q5, %q[m]\n\t"                                                                                     \
    "vrmulh.s32 q6, q6, %q[m]\n\t"                                                                                     \
    "vrmulh.s32 q7, q7, %q[m]\n\t"

#define EMBER_MVE_CLOBBER_VECTORS "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "lr", "cc", "memory"

/* The last columns, four of one row: ((sum * m + 2^31) >> 32) + zero_point in [lo, hi]. */
static inline int32x4_t ember_mve_last(const int32_t *sums, const int32_t *m, int32_t zero_point, int32_t lo,
                                       int32_t hi)
{
    const int32x4_t v = vaddq_n_s32(vrmulhq_s32(vldrwq_s32(sums), vldrwq_s32(m)), zero_point);
    return vminq_s32(vmaxq_s32(v, vdupq_n_s32(lo)), vdupq_n_s32(hi));
}

/* sums[i] <<= shift; count is a multiple of 4. */
static inline void ember_mve_shift_sums(int32_t *sums, int32_t count, int32_t shift)
{
    for (int32_t i = 0; i < count; i += 4)
        vstrwq_s32(sums + i, vshlq_r_s32(vldrwq_s32(sums + i), shift));
}

#endif
