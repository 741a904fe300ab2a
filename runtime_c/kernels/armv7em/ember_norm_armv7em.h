/* What the q.layer_norm kernels share: one normalised element, from gamma and beta side by side.
 *
 * An element takes MLA, SMMULR, SMMLAR and SSAT: (x * scale - offset), times the row's inverse root, times gamma plus
 * beta, to 8 bits. Four at a time: an LDM of two elements' gamma and beta, and one store.
 * The row's constants are the portable kernel's (ember_norm_row.h), about 100 instructions. Private to the kernels.
 */
#ifndef EMBER_NORM_ARMV7EM_H
#define EMBER_NORM_ARMV7EM_H

#include "ember_armv7em.h"
#include "ember_norm_row.h"

/* The loop over a row takes every register, and for cores with low-overhead loops gcc keeps LR to itself: plain C there.
 * (gcc 12 has no macro for Armv8.1-M, so Helium stands for it.) */
#if EMBER_HAS_ARMV7EM && !defined(__ARM_ARCH_8_1M_MAIN__) && !defined(__ARM_FEATURE_MVE)
#define EMBER_NORM_IN_ASM 1
#else
#define EMBER_NORM_IN_ASM 0
#endif

/* %[x] element in r4 -> `out`, with gamma in `out` and beta in `beta` before. */
#define EMBER_NORM_ELEMENT(out, beta)                                                                                  \
    "mla r4, r4, %[scale], %[offset]\n\t"                                                                              \
    "smmulr r4, r4, %[inverse]\n\t"                                                                                    \
    "smmlar " out ", r4, " out ", " beta "\n\t"                                                                        \
    "ssat " out ", #8, " out ", asr #8\n\t"

/* Operands of the loops over a row: x, y, gb, row are the kernel's variables. */
#define EMBER_NORM_USES                                                                                                \
    : [x] "+r"(x), [y] "+r"(y), [gb] "+r"(gb)                                                                          \
    : [scale] "r"(row.scale), [offset] "r"(0u - row.offset), [inverse] "r"(row.inverse)                                \
    : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "memory"

/* The four that elements `a` to `d` put into r4, one after the other, to four bytes at %[y]. */
#define EMBER_NORM_FOUR(a, b, c, d)                                                                                    \
    "ldm %[gb]!, {r5, r6, r8, r9}\n\t" a EMBER_NORM_ELEMENT("r5", "r6")                                                \
        b EMBER_NORM_ELEMENT("r8", "r9") "bfi r5, r8, #8, #8\n\t"                                                      \
                                         "ldm %[gb]!, {r6, r8, r9, r11}\n\t" c EMBER_NORM_ELEMENT("r6", "r8")          \
                                             d EMBER_NORM_ELEMENT("r9", "r11") "bfi r6, r9, #8, #8\n\t"                \
                                                                               "pkhbt r5, r5, r6, lsl #16\n\t"         \
                                                                               "str r5, [%[y]], #4\n\t"

/* The same to int16, with gamma and beta multiplied so that the last shift is 9, and beta's rounding half of it included:
 * SMMLA need not round then. */
#define EMBER_NORM_WIDE(out, beta)                                                                                     \
    "mla r4, r4, %[scale], %[offset]\n\t"                                                                              \
    "smmulr r4, r4, %[inverse]\n\t"                                                                                    \
    "smmla " out ", r4, " out ", " beta "\n\t"                                                                         \
    "ssat " out ", #16, " out ", asr #9\n\t"

#define EMBER_NORM_FOUR_WIDE(a, b, c, d)                                                                               \
    "ldm %[gb]!, {r5, r6, r8, r9}\n\t" a EMBER_NORM_WIDE("r5", "r6")                                                   \
        b EMBER_NORM_WIDE("r8", "r9") "pkhbt r5, r5, r8, lsl #16\n\t"                                                  \
                                      "ldm %[gb]!, {r6, r8, r9, r11}\n\t" c EMBER_NORM_WIDE("r6", "r8")                \
                                          d EMBER_NORM_WIDE("r9", "r11") "pkhbt r6, r6, r9, lsl #16\n\t"               \
                                                                         "str r5, [%[y]], #4\n\t"                      \
                                                                         "str r6, [%[y]], #4\n\t"

static inline int16_t ember_norm_one_wide(int32_t x, int32_t i, const ember_norm_row *row, const int32_t *gamma_beta)
{
    const int32_t difference = (int32_t)((uint32_t)x * row->scale - row->offset);
    const int64_t t = ember_high_multiply(difference, row->inverse, 0);
    const int64_t beta = (int64_t)gamma_beta[2 * i + 1] * (INT64_C(1) << 32);
    return ember_clamp_s16((int32_t)((t * gamma_beta[2 * i] + beta) >> 32) >> 9);
}

static inline int8_t ember_norm_one(int32_t x, int32_t i, const ember_norm_row *row, const int32_t *gamma_beta)
{
    const int32_t difference = (int32_t)((uint32_t)x * row->scale - row->offset);
    const int32_t t = ember_high_multiply(difference, row->inverse, 0);
    return ember_clamp_s8(ember_high_multiply(t, gamma_beta[2 * i], gamma_beta[2 * i + 1]) >> 8);
}

#endif
