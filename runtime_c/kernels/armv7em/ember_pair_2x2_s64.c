/* Two rows by two columns of int16 pairs with sums of 64 bits, for Cortex-M4, M7 and M33.
 *
 * Registers: r0 r1, r2 r3 sums of row 0, r4 - r7 of row 1, r8 r9 columns' words, r10 r11 rows' words, r12 columns, lr
 * rows; all else at [sp]: m0, m1, rows, columns end, zero point, y, stride, [sp, #28] shift 0 and 32 less it, shift 1
 * and 32 less it, [sp, #44] rows end, #48 entry, #52 after, #56 last.
 * Unit: 2 k: 2 LDM of 2 words and 4 SMLALD = 6 instructions for 8 MACs = 0.75. A sum is shifted by LSR, LSL and ORR,
 * since what is left fits 32 bits and shifts by a register give 0 from 32 on.
 * Predicted: 0.75 + 43 / (4 k) a MAC. Measured in q.attention at 64,64,64: 0.92.
 */
#include "ember_math.h"
#include "ember_pair_s64.h"

#if EMBER_HAS_ARMV7EM

#define UNIT                                                                                                           \
    "ldm.w r12!, {r8, r9}\n\t"                                                                                         \
    "ldm.w lr!, {r10, r11}\n\t"                                                                                        \
    "smlald r0, r1, r8, r10\n\t"                                                                                       \
    "smlald r2, r3, r9, r10\n\t"                                                                                       \
    "smlald r4, r5, r8, r11\n\t"                                                                                       \
    "smlald r6, r7, r9, r11\n\t"

#define SHIFT(low, high, by, back)                                                                                     \
    "lsr " low ", " low ", " by "\n\t"                                                                                 \
    "lsl " high ", " high ", " back "\n\t"                                                                             \
    "orr " low ", " low ", " high "\n\t"

/* Shifted, multiplied and narrowed; then r1 m0, r3 m1, r5 rows, r7 columns end, r8 zero point, r9 y, r10 stride. */
#define SCALE(narrow)                                                                                                  \
    "add lr, sp, #28\n\t"                                                                                              \
    "ldm lr, {r8, r9, r10, r11}\n\t" SHIFT("r0", "r1", "r8", "r9") SHIFT("r2", "r3", "r8", "r9")                       \
        SHIFT("r4", "r5", "r10", "r11")                                                                                \
            SHIFT("r6", "r7", "r10", "r11") "ldm sp, {r1, r3, r5, r7, r8, r9, r10}\n\t"                                \
                                            "smmlar r0, r0, r1, r8\n\t"                                                \
                                            "smmlar r2, r2, r1, r8\n\t"                                                \
                                            "smmlar r4, r4, r3, r8\n\t"                                                \
                                            "smmlar r6, r6, r3, r8\n\t" narrow " r0, #16, r0\n\t" narrow               \
                                            " r2, #16, r2\n\t" narrow " r4, #16, r4\n\t" narrow " r6, #16, r6\n\t"     \
                                            "pkhbt r0, r0, r2, lsl #16\n\t"                                            \
                                            "pkhbt r4, r4, r6, lsl #16\n\t"

#define NEXT                                                                                                           \
    "str r9, [sp, #20]\n\t"                                                                                            \
    "mov lr, r5\n\t"                                                                                                   \
    "cmp r12, r7\n\t"                                                                                                  \
    "bne.w 1b\n\t"                                                                                                     \
    "add sp, #60\n\t"                                                                                                  \
    "pop {r4-r11, pc}\n"

/* ADR counts from a word boundary, and -Os aligns functions to half a word. */
__attribute__((naked, noinline, aligned(4))) void ember_pair_2x2_s64(const ember_pair_block *block
                                                                     __attribute__((unused)))
{
    __asm__ volatile(".syntax unified\n\t"
                     "push {r4-r11, lr}\n\t"
                     "sub sp, #60\n\t"
                     "ldm r0!, {r1-r9, r10}\n\t"
                     "stm sp, {r1-r7}\n\t"
                     "mov lr, r3\n\t"
                     "rsb r4, r8, #32\n\t"
                     "rsb r5, r9, #32\n\t"
                     "strd r8, r4, [sp, #28]\n\t"
                     "strd r9, r5, [sp, #36]\n\t"
                     "str r10, [sp, #44]\n\t"
                     "ldm r0, {r1-r4}\n\t"
                     "mov r12, r1\n\t"
                     "adr.w r8, 3f\n\t"
                     "add.w r8, r8, #1\n\t"
                     "adr.w r9, 9f\n\t"
                     "ldrh r3, [r9, r3, lsl #1]\n\t"
                     "ldrh r4, [r9, r4, lsl #1]\n\t"
                     "add r2, r8\n\t"
                     "add r3, r8\n\t"
                     "add r4, r8\n\t"
                     "strd r2, r3, [sp, #48]\n\t"
                     "str r4, [sp, #56]\n"
                     "1:\tmovs r0, #0\n\t"
                     "movs r1, #0\n\t"
                     "movs r2, #0\n\t"
                     "movs r3, #0\n\t"
                     "movs r4, #0\n\t"
                     "movs r5, #0\n\t"
                     "movs r6, #0\n\t"
                     "movs r7, #0\n\t"
                     "ldr pc, [sp, #48]\n"
                     "3:\t.rept 32\n\t" UNIT ".endr\n\t"
                     "ldr pc, [sp, #52]\n"
                     "2:\tldr r8, [sp, #44]\n\t"
                     "cmp lr, r8\n\t"
                     "bne.w 3b\n\t"
                     "ldr pc, [sp, #56]\n"
                     "4:\t" SCALE("usat") "stm r9!, {r0, r4}\n\t" NEXT "5:\t" SCALE(
                         "ssat") "str r4, [r9, r10]\n\t"
                                 "str r0, [r9], #4\n\t" NEXT
                                 "9:\t.hword 4b - 3b, 0, 5b - 3b, 0, 0, 0, 0, 0, 2b - 3b\n\t");
}

#else

/* The sum of `words` pairs, every second word of both. */
static int64_t sum_of(const int32_t *row, const int32_t *column, int32_t words)
{
    int64_t acc = 0;
    for (int32_t i = 0; i < words; i += 2) {
        const uint32_t a = (uint32_t)row[i], b = (uint32_t)column[i];
        acc += (int64_t)(int16_t)a * (int16_t)b + (int64_t)(int16_t)(a >> 16) * (int16_t)(b >> 16);
    }
    return acc;
}

void ember_pair_2x2_s64(const ember_pair_block *block)
{
    const int32_t scores = block->last == EMBER_PAIR_SCORE; /* both rows side by side */
    const int32_t stride = scores ? 4 : block->stride;
    const int32_t words = (int32_t)(block->rows_end - block->rows);
    uint8_t *y = block->y;
    for (const int32_t *c = block->columns; c != block->columns_end; c += words, y += scores ? 8 : 4) {
        for (int32_t out = 0; out < 4; out++) {
            const int32_t row = out >> 1, column = out & 1;
            const int32_t shift = row ? block->shift1 : block->shift0;
            const int32_t acc = (int32_t)(sum_of(block->rows + row, c + column, words) >> shift);
            const int32_t v = ember_high_multiply(acc, row ? block->m1 : block->m0, block->zero_point);
            const uint16_t half = (uint16_t)(scores ? ember_clamp(v, 0, UINT16_MAX) : ember_clamp_s16(v));
            memcpy(y + row * stride + column * 2, &half, sizeof half);
        }
    }
}

#endif
