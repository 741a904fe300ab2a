/* Two rows by two columns of int16 pairs, for Cortex-M4, M7 and M33.
 *
 * Registers: r0-r3 sums, r6 columns, r7 rows, r4 r5 r8 r9 columns' words, r10-r12 lr rows' words; all else at [sp]:
 * m0, m1, rows, columns end, zero point, y, stride, shift 0, shift 1, [sp, #36] rows end, #40 entry, #44 after,
 * #48 last; one LDM fetches what an end needs.
 * Unit: 4 k: 2 LDM of 4 words and 8 SMLAD = 10 instructions for 16 MACs = 0.625. The first unit starts with SMUAD, so
 * nothing is cleared; then a jump lands in the unrolled loop.
 * Predicted: 0.625 + 18 / (4 k) a MAC.
 * Measured in q.batch_matmul and q.attention at 64,64,64: 0.698.
 */
#include "ember_math.h"
#include "ember_pair.h"

#if EMBER_HAS_ARMV7EM

#define MACS(first, acc0, acc1, acc2, acc3)                                                                            \
    "ldm r6!, {r4, r5, r8, r9}\n\t"                                                                                    \
    "ldm r7!, {r10, r11, r12, lr}\n\t" first " r0, r4, r10" acc0 "\n\t" first " r1, r5, r10" acc1 "\n\t" first         \
    " r2, r4, r11" acc2 "\n\t" first " r3, r5, r11" acc3 "\n\t"                                                        \
    "smlad r0, r8, r12, r0\n\t"                                                                                        \
    "smlad r1, r9, r12, r1\n\t"                                                                                        \
    "smlad r2, r8, lr, r2\n\t"                                                                                         \
    "smlad r3, r9, lr, r3\n\t"

#define LOAD "ldm sp, {r4, r5, r7, r8, r9, r10, r11, r12, lr}\n\t"

#define SHIFT                                                                                                          \
    "asr r0, r0, r12\n\t"                                                                                              \
    "asr r1, r1, r12\n\t"                                                                                              \
    "asr r2, r2, lr\n\t"                                                                                               \
    "asr r3, r3, lr\n\t"

#define LEFT                                                                                                           \
    "lsl r0, r0, r12\n\t"                                                                                              \
    "lsl r1, r1, r12\n\t"                                                                                              \
    "lsl r2, r2, lr\n\t"                                                                                               \
    "lsl r3, r3, lr\n\t"

#define SCALE(narrow)                                                                                                  \
    "smmlar r0, r0, r4, r9\n\t"                                                                                        \
    "smmlar r1, r1, r4, r9\n\t"                                                                                        \
    "smmlar r2, r2, r5, r9\n\t"                                                                                        \
    "smmlar r3, r3, r5, r9\n\t" narrow " r0\n\t" narrow " r1\n\t" narrow " r2\n\t" narrow " r3\n\t"

#define NEXT                                                                                                           \
    "str r10, [sp, #20]\n\t"                                                                                           \
    "cmp r6, r8\n\t"                                                                                                   \
    "bne.w 1b\n\t"                                                                                                     \
    "add sp, #52\n\t"                                                                                                  \
    "pop {r4-r11, pc}\n"

#define BYTES                                                                                                          \
    "bfi r0, r1, #8, #8\n\t"                                                                                           \
    "bfi r2, r3, #8, #8\n\t"                                                                                           \
    "strh r2, [r10, r11]\n\t"                                                                                          \
    "strh r0, [r10], #2\n\t"

#define HALVES                                                                                                         \
    "pkhbt r0, r0, r1, lsl #16\n\t"                                                                                    \
    "pkhbt r2, r2, r3, lsl #16\n\t"                                                                                    \
    "str r2, [r10, r11]\n\t"                                                                                           \
    "str r0, [r10], #4\n\t"

/* Narrowing: the mnemonic and its register come from SCALE, so the width is a macro of the assembler. */
#define WIDTHS                                                                                                         \
    ".macro ember_s8 r\n\tssat \\r, #8, \\r\n\t.endm\n\t"                                                              \
    ".macro ember_s16 r\n\tssat \\r, #16, \\r\n\t.endm\n\t"                                                            \
    ".macro ember_u16 r\n\tusat \\r, #16, \\r\n\t.endm\n\t"
#define FORGET ".purgem ember_s8\n\t.purgem ember_s16\n\t.purgem ember_u16\n\t"

/* ADR counts from a word boundary, and -Os aligns functions to half a word. */
__attribute__((naked, noinline, aligned(4))) void ember_pair_2x2(const ember_pair_block *block __attribute__((unused)))
{
    __asm__ volatile(
        ".syntax unified\n\t" WIDTHS "push {r4-r11, lr}\n\t"
        "sub sp, #52\n\t"
        "ldm r0!, {r1-r9, r10}\n\t"
        "stm sp, {r1-r9, r10}\n\t"
        "mov r7, r3\n\t"
        "ldm r0, {r1-r4}\n\t"
        "mov r6, r1\n\t"
        "adr.w r8, 3f\n\t"
        "add.w r8, r8, #1\n\t"
        "adr.w r9, 9f\n\t"
        "ldrh r3, [r9, r3, lsl #1]\n\t"
        "ldrh r4, [r9, r4, lsl #1]\n\t"
        "add r2, r8\n\t"
        "add r3, r8\n\t"
        "add r4, r8\n\t"
        "strd r2, r3, [sp, #40]\n\t"
        "str r4, [sp, #48]\n"
        "1:\t" MACS("smuad", "", "", "",
                    "") "ldr pc, [sp, #40]\n"
                        "3:\t.rept 15\n\t" MACS("smlad", ", r0", ", r1", ", r2",
                                                ", r3") ".endr\n\t"
                                                        "ldr pc, [sp, #44]\n"
                                                        "2:\tldr r8, [sp, #36]\n\t"
                                                        "cmp r7, r8\n\t"
                                                        "bne.w 3b\n\t"
                                                        "ldr pc, [sp, #48]\n"
                                                        "4:\t" LOAD SCALE("ember_u16") "pkhbt r0, r0, r1, lsl #16\n\t"
                                                                                       "pkhbt r2, r2, r3, lsl #16\n\t"
                                                                                       "stm r10!, {r0, r2}\n\t" NEXT
                                                                                       "5:\t" LOAD
                                                                                       "10:\t" SCALE("ember_s8")
                                                                                           BYTES NEXT
        "6:\t" LOAD "11:\t" SCALE("ember_s16") HALVES NEXT "7:\t" LOAD SHIFT SCALE("ember_s8") BYTES NEXT
        "8:\t" LOAD SHIFT SCALE("ember_s16") HALVES NEXT
        "12:\t" LOAD LEFT "b.w 10b\n"
        "13:\t" LOAD LEFT "b.w 11b\n"
        "14:\t" LOAD "stm r10!, {r0, r1, r2, r3}\n\t" NEXT
        "9:\t.hword 4b - 3b, 5b - 3b, 6b - 3b, 7b - 3b, 8b - 3b, 12b - 3b, 13b - 3b, 14b - 3b, 2b - 3b\n\t" FORGET);
}

#else

static int32_t is_byte(uint32_t end)
{
    return end == EMBER_PAIR_S8 || end == EMBER_PAIR_SHIFT_S8 || end == EMBER_PAIR_LEFT_S8;
}

/* The sum as the end wants it, before it is narrowed. */
static int32_t scaled(int32_t acc, int32_t row, uint32_t end, const ember_pair_block *block)
{
    const int32_t shift = row ? block->shift1 : block->shift0;
    if (end == EMBER_PAIR_SHIFT_S8 || end == EMBER_PAIR_SHIFT_S16)
        acc >>= shift;
    if (end == EMBER_PAIR_LEFT_S8 || end == EMBER_PAIR_LEFT_S16)
        acc = ember_shift_left(acc, shift);
    return ember_high_multiply(acc, row ? block->m1 : block->m0, block->zero_point);
}

static void put(uint8_t *at, int32_t v, uint32_t end)
{
    if (end == EMBER_PAIR_SUMS) {
        memcpy(at, &v, sizeof v);
    } else if (is_byte(end)) {
        *at = (uint8_t)ember_clamp_s8(v);
    } else {
        const uint16_t wide = (uint16_t)(end == EMBER_PAIR_SCORE ? ember_clamp(v, 0, UINT16_MAX) : ember_clamp_s16(v));
        memcpy(at, &wide, sizeof wide);
    }
}

void ember_pair_2x2(const ember_pair_block *block)
{
    const uint32_t end = block->last;
    const int32_t size = is_byte(end) ? 1 : end == EMBER_PAIR_SUMS ? 4 : 2;
    const int32_t blocked = end == EMBER_PAIR_SCORE || end == EMBER_PAIR_SUMS; /* both rows side by side */
    const int32_t stride = blocked ? 2 * size : block->stride;
    const int32_t words = (int32_t)(block->rows_end - block->rows);
    uint8_t *y = block->y;
    for (const int32_t *c = block->columns; c != block->columns_end; c += words) {
        for (int32_t out = 0; out < 4; out++) {
            const int32_t row = out >> 1;
            int32_t acc = 0;
            for (int32_t i = 0; i < words; i += 2) {
                const uint32_t a = (uint32_t)block->rows[i + row];
                const uint32_t b = (uint32_t)c[i + (out & 1)];
                acc += (int16_t)a * (int16_t)b + (int16_t)(a >> 16) * (int16_t)(b >> 16);
            }
            put(y + row * stride + (out & 1) * size, end == EMBER_PAIR_SUMS ? acc : scaled(acc, row, end, block), end);
        }
        y += (blocked ? 4 : 2) * size;
    }
}

#endif
