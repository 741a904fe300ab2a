/* Rows of k become columns of pairs: [pair of columns][k / 4][column 0 pair 0, column 1 pair 0, pair 1 of both].
 *
 * V of attention (k in pairs 0 1 and 2 3) and the right operand of q.batch_matmul (pairs 0 2 and 1 3, as the other
 * operand is split). Two rows of four neighbours are split by SXTAB16, which takes the zero point off, and joined again
 * across the rows by PKH: 13 instructions for 8 values.
 */
#include "ember_math.h"
#include "ember_pair.h"

#if EMBER_HAS_ARMV7EM

/* One k of each of four columns and the k of its pair, then the advance to the next one. */
#define PAIR(partner, advance)                                                                                         \
    "ldr r8, [%[v]]\n\t"                                                                                               \
    "ldr r9, [%[v], " partner "]\n\t" advance "sxtab16 r4, %[less], r8\n\t"                                            \
    "sxtab16 r5, %[less], r9\n\t"                                                                                      \
    "sxtab16 r8, %[less], r8, ror #8\n\t"                                                                              \
    "sxtab16 r9, %[less], r9, ror #8\n\t"                                                                              \
    "pkhtb r10, r5, r4, asr #16\n\t"                                                                                   \
    "pkhbt r4, r4, r5, lsl #16\n\t"                                                                                    \
    "pkhtb r11, r9, r8, asr #16\n\t"                                                                                   \
    "pkhbt r5, r8, r9, lsl #16\n\t"                                                                                    \
    "stm %[out]!, {r4, r5}\n\t"                                                                                        \
    "stm %[next]!, {r10, r11}\n\t"
#define BY_ONE "add %[v], %[v], %[stride]\n\t"
#define BY_TWO "add %[v], %[v], %[stride], lsl #1\n\t"
#define NEIGHBOURS PAIR("%[stride]", BY_TWO) PAIR("%[stride]", BY_TWO)
#define ALTERNATE PAIR("%[stride], lsl #1", BY_ONE) PAIR("%[stride], lsl #1", BY_ONE BY_TWO)
#define USES                                                                                                           \
    : [v] "+r"(v), [out] "+r"(out), [next] "+r"(next)                                                                  \
    : [stride] "r"(stride), [less] "r"(less)                                                                           \
    : "r4", "r5", "r8", "r9", "r10", "r11", "memory"

/* Columns c .. c + 3 by whole fours of rows. */
static void four_columns(const int8_t *v, int32_t stride, int32_t fours, int32_t apart, int32_t zero, int32_t *out,
                         int32_t *next)
{
    const int32_t less = ember_pair_of(-zero, -zero);
    if (apart == 1)
        for (; fours != 0; fours--)
            __asm__ volatile(NEIGHBOURS USES);
    else
        for (; fours != 0; fours--)
            __asm__ volatile(ALTERNATE USES);
}

#endif

void ember_pair_columns(const int8_t *v, int32_t stride, int32_t k, int32_t columns, int32_t apart, int32_t zero,
                        int32_t *out)
{
    const int32_t words = (k + 3) >> 2 << 2; /* of a pair of columns */
    for (int32_t c = 0; c < columns; c += 2, out += words) {
        int32_t done = 0;
#if EMBER_HAS_ARMV7EM
        if ((c & 3) == 0 && c + 4 <= columns)
            four_columns(v + c, stride, k >> 2, apart, zero, out, out + words);
        if ((columns & ~3) > c)
            done = k & ~3;
#endif
        for (int32_t j = done; j < words; j++) {
            const int32_t column = ember_min(c + (j & 1), columns - 1);
            const int32_t low = (j & ~3) + ((j & 2) >> (apart - 1)), high = low + apart;
            const int32_t first = low < k ? v[low * stride + column] - zero : 0;
            const int32_t second = high < k ? v[high * stride + column] - zero : 0;
            out[j] = ember_pair_of(first, second);
        }
    }
}
