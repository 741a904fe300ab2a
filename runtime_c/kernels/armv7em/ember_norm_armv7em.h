/* The second pass of q.layer_norm, for every pair of element types: four elements at a time, gamma and beta side by side.
 *
 * int8 y (NARROW): SMLAWB or SMLAWT takes an element from its half of a word to t, 16 bits; SMLAWB multiplies gamma of 32
 * bits by it and adds beta; SSAT shifts by 8 and saturates. gamma is the op's << (9 - out_shift), beta the op's
 * << (8 - out_shift) plus 128: one shift, an immediate, for every op, and the same floor.
 * int16 y (WIDE): MLA, SMMULR, SMMLA, SSAT on an element of 32 bits; gamma and beta are multiplied so that the last shift
 * is 9, beta's rounding half of it included: SMMLA need not round then.
 * Registers: x, y, gains, the row's two or three constants; r4, r5 elements and t; r6, r8 .. r11 gamma and beta (LDM),
 * which become results. r7 stays the frame's where there is one.
 * Per element: loads 0.25 and 0.5, lanes 0.5 (int16 x 0.25 more to load, none for lanes), 3 for the arithmetic, 0.75 to
 * pack, 0.25 to store: 5.25 for int8 x, 5 for int16; WIDE 6.75 and 7. A row's constants: ember_norm_row.h.
 * Preconditions: none but the header's; what four do not divide is plain C.
 *
 * Private to the kernels.
 */
#ifndef EMBER_NORM_ARMV7EM_H
#define EMBER_NORM_ARMV7EM_H

#include "ember_norm_sums_armv7em.h"

/* The loop over a row takes every register, and for cores with low-overhead loops gcc keeps LR to itself: plain C there.
 * (gcc 12 has no macro for Armv8.1-M, so Helium stands for it.) */
#if EMBER_HAS_ARMV7EM && !defined(__ARM_ARCH_8_1M_MAIN__) && !defined(__ARM_FEATURE_MVE)
#define EMBER_NORM_IN_ASM 1
#else
#define EMBER_NORM_IN_ASM 0
#endif

#if EMBER_NORM_IN_ASM

/* t in register `to`, of the lower (B) or upper (T) half of `from`. */
#define EMBER_NORM_T(to, half, from) "smlaw" half " " to ", %[inverse], " from ", %[minus_mean]\n\t"
#define EMBER_NORM_RESULT(gamma, t, beta)                                                                              \
    "smlawb " gamma ", " gamma ", " t ", " beta "\n\t"                                                                 \
    "ssat " gamma ", #8, " gamma ", asr #8\n\t"

/* gamma and beta of the first two of four elements, and of the last two. */
#define EMBER_NORM_GAINS_01 "ldm %[gains]!, {r6, r8, r9, r10}\n\t"
#define EMBER_NORM_GAINS_23 "ldm %[gains]!, {r8, r9, r10, r11}\n\t"
#define EMBER_NORM_JOIN_S8 "bfi r6, r9, #8, #8\n\t"
#define EMBER_NORM_STORE_S8                                                                                            \
    "bfi r8, r10, #8, #8\n\t"                                                                                          \
    "pkhbt r6, r6, r8, lsl #16\n\t"                                                                                    \
    "str r6, [%[y]], #4\n\t"
#define EMBER_NORM_JOIN_S16 "pkhbt r6, r6, r9, lsl #16\n\t"
#define EMBER_NORM_STORE_S16                                                                                           \
    "pkhbt r8, r8, r10, lsl #16\n\t"                                                                                   \
    "str r6, [%[y]], #4\n\t"                                                                                           \
    "str r8, [%[y]], #4\n\t"

/* Four int8 at %[y]; `first` and `second` leave t in r11, `third` in r4, `fourth` in r5. */
#define EMBER_NORM_NARROW(load, first, second, third, fourth)                                                          \
    load EMBER_NORM_GAINS_01 first EMBER_NORM_RESULT("r6", "r11", "r8") second EMBER_NORM_RESULT("r9", "r11", "r10")   \
        EMBER_NORM_JOIN_S8 EMBER_NORM_GAINS_23 third EMBER_NORM_RESULT("r8", "r4", "r9")                               \
            fourth EMBER_NORM_RESULT("r10", "r5", "r11") EMBER_NORM_STORE_S8

#define EMBER_NORM_NARROW_S8                                                                                           \
    EMBER_NORM_NARROW("ldr r5, [%[x]], #4\n\tsxtb16 r4, r5\n\tsxtb16 r5, r5, ror #8\n\t",                              \
                      EMBER_NORM_T("r11", "b", "r4"), EMBER_NORM_T("r11", "b", "r5"), EMBER_NORM_T("r4", "t", "r4"),   \
                      EMBER_NORM_T("r5", "t", "r5"))
#define EMBER_NORM_NARROW_S16                                                                                          \
    EMBER_NORM_NARROW("ldr r4, [%[x]], #4\n\tldr r5, [%[x]], #4\n\t", EMBER_NORM_T("r11", "b", "r4"),                  \
                      EMBER_NORM_T("r11", "t", "r4"), EMBER_NORM_T("r4", "b", "r5"), EMBER_NORM_T("r5", "t", "r5"))

/* The element in r4 -> gamma's register. */
#define EMBER_NORM_WIDE_RESULT(gamma, beta)                                                                            \
    "mla r4, r4, %[scale], %[minus_offset]\n\t"                                                                        \
    "smmulr r4, r4, %[inverse]\n\t"                                                                                    \
    "smmla " gamma ", r4, " gamma ", " beta "\n\t"                                                                     \
    "ssat " gamma ", #16, " gamma ", asr #9\n\t"

/* Four int16 at %[y]; `first` to `fourth` leave an element in r4. */
#define EMBER_NORM_WIDE(first, second, third, fourth)                                                                  \
    EMBER_NORM_GAINS_01 first EMBER_NORM_WIDE_RESULT("r6", "r8") second EMBER_NORM_WIDE_RESULT("r9", "r10")            \
        EMBER_NORM_JOIN_S16 EMBER_NORM_GAINS_23 third EMBER_NORM_WIDE_RESULT("r8", "r9")                               \
            fourth EMBER_NORM_WIDE_RESULT("r10", "r11") EMBER_NORM_STORE_S16

#define EMBER_NORM_WIDE_S8                                                                                             \
    EMBER_NORM_WIDE("ldr r5, [%[x]], #4\n\tsxtb r4, r5\n\t", "sxtb r4, r5, ror #8\n\t", "sxtb r4, r5, ror #16\n\t",    \
                    "asr r4, r5, #24\n\t")
#define EMBER_NORM_WIDE_S16                                                                                            \
    EMBER_NORM_WIDE("ldr r5, [%[x]], #4\n\tsxth r4, r5\n\t", "asr r4, r5, #16\n\t",                                    \
                    "ldr r5, [%[x]], #4\n\tsxth r4, r5\n\t", "asr r4, r5, #16\n\t")

/* All fours of a row, x, y, gains, left and row being the kernel's variables. */
#define EMBER_NORM_FOURS(FOUR, ...)                                                                                    \
    do {                                                                                                               \
        for (; left >= 16; left -= 16)                                                                                 \
            __asm__ volatile(FOUR FOUR FOUR FOUR                                                                       \
                             : [x] "+r"(x), [y] "+r"(y), [gains] "+r"(gains)                                           \
                             : [inverse] "r"(row.inverse), __VA_ARGS__                                                 \
                             : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "memory");                                  \
        for (; left >= 4; left -= 4)                                                                                   \
            __asm__ volatile(FOUR                                                                                      \
                             : [x] "+r"(x), [y] "+r"(y), [gains] "+r"(gains)                                           \
                             : [inverse] "r"(row.inverse), __VA_ARGS__                                                 \
                             : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "memory");                                  \
    } while (0)
#define EMBER_NORM_NARROW_FOURS(FOUR) EMBER_NORM_FOURS(FOUR, [minus_mean] "r"(-row.mean))
#define EMBER_NORM_WIDE_FOURS(FOUR) EMBER_NORM_FOURS(FOUR, [scale] "r"(row.scale), [minus_offset] "r"(0u - row.offset))

#else
#define EMBER_NORM_NARROW_FOURS(FOUR) (void)0
#define EMBER_NORM_WIDE_FOURS(FOUR) (void)0
#endif

static inline int8_t ember_norm_narrow_one(int32_t x, ember_norm_narrow row, const int32_t *gains)
{
    const int32_t t = ember_norm_narrow_t(x, row);
    return ember_clamp_s8(((int32_t)(((int64_t)gains[0] * t) >> 16) + gains[1]) >> 8);
}

static inline int16_t ember_norm_wide_one(int32_t x, ember_norm_wide row, const int32_t *gains)
{
    const int64_t t = ember_norm_wide_t(x, row);
    const int64_t beta = (int64_t)gains[1] * (INT64_C(1) << 32);
    return ember_clamp_s16((int32_t)((t * gains[0] + beta) >> 32) >> 9);
}

#endif
