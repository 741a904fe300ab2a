/* Two rows of int16 by two columns of int8 weights, for Cortex-M4, M7 and M33.
 *
 * Registers: r0-r3 sums, r6 stream, r7 rows, r4 r5 r8 r9 weights, r10-r12 lr rows' words; all else at [sp]: rows, stream
 * end, zero point, y, stride, shift, [sp, #24] rows end, #28 a spare word, #32 entry, #36 after, #40 last.
 * Unit: 4 k: LDM of 2 weight words, LDM of 4 rows' words, 4 SXTB16, 8 SMLAD = 14 instructions for 16 MACs = 0.875.
 * Predicted: 0.875 + 26 / (4 k) a MAC, 0.926 for k = 128; measured at 64,128,128: 0.950.
 */
#include "ember_wide.h"

#if EMBER_HAS_ARMV7EM

/* LDM.W: the narrow form would make units of 54 bytes on some assemblers. */
#define UNIT                                                                                                           \
    "ldm.w r6!, {r4, r5}\n\t"                                                                                          \
    "ldm r7!, {r10, r11, r12, lr}\n\t"                                                                                 \
    "sxtb16 r8, r4, ror #8\n\t"                                                                                        \
    "sxtb16 r9, r5, ror #8\n\t"                                                                                        \
    "sxtb16 r4, r4\n\t"                                                                                                \
    "sxtb16 r5, r5\n\t"                                                                                                \
    "smlad r0, r4, r10, r0\n\t"                                                                                        \
    "smlad r1, r5, r10, r1\n\t"                                                                                        \
    "smlad r2, r4, r11, r2\n\t"                                                                                        \
    "smlad r3, r5, r11, r3\n\t"                                                                                        \
    "smlad r0, r8, r12, r0\n\t"                                                                                        \
    "smlad r1, r9, r12, r1\n\t"                                                                                        \
    "smlad r2, r8, lr, r2\n\t"                                                                                         \
    "smlad r3, r9, lr, r3\n\t"

#define SCALE(bits)                                                                                                    \
    "ldm.w r6!, {r4, r5}\n\t"                                                                                          \
    "ldm sp, {r7, r8, r9, r10, r11, r12}\n\t"                                                                          \
    "asr r0, r0, r12\n\t"                                                                                              \
    "asr r1, r1, r12\n\t"                                                                                              \
    "asr r2, r2, r12\n\t"                                                                                              \
    "asr r3, r3, r12\n\t"                                                                                              \
    "smmlar r0, r0, r4, r9\n\t"                                                                                        \
    "smmlar r1, r1, r5, r9\n\t"                                                                                        \
    "smmlar r2, r2, r4, r9\n\t"                                                                                        \
    "smmlar r3, r3, r5, r9\n\t"                                                                                        \
    "ssat r0, #" bits ", r0\n\t"                                                                                       \
    "ssat r1, #" bits ", r1\n\t"                                                                                       \
    "ssat r2, #" bits ", r2\n\t"                                                                                       \
    "ssat r3, #" bits ", r3\n\t"

#define NEXT                                                                                                           \
    "str r10, [sp, #12]\n\t"                                                                                           \
    "cmp r6, r8\n\t"                                                                                                   \
    "bne.w 1b\n\t"                                                                                                     \
    "add sp, #44\n\t"                                                                                                  \
    "pop {r4-r11, pc}\n"

/* ADR counts from a word boundary, and -Os aligns functions to half a word. */
__attribute__((naked, noinline, aligned(4))) void ember_wide_2x2(const ember_wide_block *block __attribute__((unused)))
{
    __asm__ volatile(".syntax unified\n\t"
                     "push {r4-r11, lr}\n\t"
                     "sub sp, #44\n\t"
                     "ldm r0!, {r1, r2, r3, r4, r5, r6, r7}\n\t"
                     "stm sp, {r1, r2, r3, r4, r5, r6, r7}\n\t"
                     "ldm r0, {r2, r3, r4, r5}\n\t"
                     "mov r7, r1\n\t"
                     "mov r6, r2\n\t"
                     "adr.w r8, 3f\n\t"
                     "add.w r8, r8, #1\n\t"
                     "adr.w r9, 9f\n\t"
                     "ldrh r4, [r9, r4, lsl #1]\n\t"
                     "ldrh r5, [r9, r5, lsl #1]\n\t"
                     "add r3, r8\n\t"
                     "add r4, r8\n\t"
                     "add r5, r8\n\t"
                     "add r10, sp, #32\n\t"
                     "stm r10, {r3, r4, r5}\n"
                     "1:\tldm.w r6!, {r0, r1}\n\t"
                     "mov r2, r0\n\t"
                     "mov r3, r1\n\t"
                     "ldr pc, [sp, #32]\n"
                     "3:\t.rept 12\n\t" UNIT ".endr\n\t"
                     "ldr pc, [sp, #36]\n"
                     "2:\tldr r8, [sp, #24]\n\t"
                     "cmp r7, r8\n\t"
                     "bne.w 3b\n\t"
                     "ldr pc, [sp, #40]\n"
                     "4:\t" SCALE("8") "bfi r0, r1, #8, #8\n\t"
                                       "bfi r2, r3, #8, #8\n\t"
                                       "strh r2, [r10, r11]\n\t"
                                       "strh r0, [r10], #2\n\t" NEXT
                                       "5:\t" SCALE("16") "pkhbt r0, r0, r1, lsl #16\n\t"
                                                          "pkhbt r2, r2, r3, lsl #16\n\t"
                                                          "str r2, [r10, r11]\n\t"
                                                          "str r0, [r10], #4\n\t" NEXT
                                                          "6:\tldm sp, {r7, r8, r9, r10}\n\t"
                                                          "add r6, #8\n\t"
                                                          "stm r10!, {r0, r1, r2, r3}\n\t" NEXT
                                                          "9:\t.hword 4b - 3b, 5b - 3b, 6b - 3b, 2b - 3b\n\t");
}

#else

/* The sum of one row and one column of a block. */
static int32_t sum_of(const int32_t *rows, const int32_t *w, int32_t bias, int32_t fours)
{
    int32_t acc = bias;
    for (int32_t i = 0; i < fours; i++) {
        const uint32_t even = (uint32_t)rows[4 * i], odd = (uint32_t)rows[4 * i + 2], four = (uint32_t)w[2 * i];
        acc += (int16_t)even * (int8_t)four + (int16_t)odd * (int8_t)(four >> 8);
        acc += (int16_t)(even >> 16) * (int8_t)(four >> 16) + (int16_t)(odd >> 16) * (int8_t)(four >> 24);
    }
    return acc;
}

void ember_wide_2x2(const ember_wide_block *block)
{
    const int32_t fours = (int32_t)(block->rows_end - block->rows) / 4;
    const int32_t sums = block->last == EMBER_WIDE_SUMS;
    const int32_t size = sums ? 4 : block->last == EMBER_WIDE_S8 ? 1 : 2;
    const int32_t stride = sums ? 2 * size : block->stride;
    uint8_t *y = block->y;
    for (const int32_t *s = block->stream; s != block->stream_end; s += 2 * fours + 4) {
        for (int32_t out = 0; out < 4; out++) {
            const int32_t row = out >> 1, column = out & 1;
            uint8_t *at = y + row * stride + column * size;
            const int32_t acc = sum_of(block->rows + row, s + 2 + column, s[column], fours);
            const int32_t m = s[2 + 2 * fours + column];
            const int32_t v = ember_high_multiply(acc >> block->shift, m, block->zero_point);
            const int8_t narrow = ember_clamp_s8(v);
            const int16_t half = ember_clamp_s16(v);
            const void *from = sums ? (const void *)&acc : size == 1 ? (const void *)&narrow : (const void *)&half;
            memcpy(at, from, (size_t)size);
        }
        y += (sums ? 4 : 2) * size;
    }
}

#endif
