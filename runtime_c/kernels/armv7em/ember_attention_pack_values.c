/* V of one head for the weighted sums: [pair of columns][key / 4][column 0 keys 0 1, column 1 keys 0 1, keys 2 3]. */
#include "ember_attention_armv7em.h"

#if EMBER_HAS_ARMV7EM

#define TWO_KEYS                                                                                                       \
    "ldr r8, [%[v]]\n\t"                                                                                               \
    "ldr r9, [%[v], %[stride]]\n\t"                                                                                    \
    "add %[v], %[v], %[stride], lsl #1\n\t"                                                                            \
    "sxtb16 r4, r8\n\t"                                                                                                \
    "sxtb16 r5, r9\n\t"                                                                                                \
    "sxtb16 r8, r8, ror #8\n\t"                                                                                        \
    "sxtb16 r9, r9, ror #8\n\t"                                                                                        \
    "pkhtb r10, r5, r4, asr #16\n\t"                                                                                   \
    "pkhbt r4, r4, r5, lsl #16\n\t"                                                                                    \
    "pkhtb r11, r9, r8, asr #16\n\t"                                                                                   \
    "pkhbt r5, r8, r9, lsl #16\n\t"                                                                                    \
    "stm %[out]!, {r4, r5}\n\t"                                                                                        \
    "stm %[next]!, {r10, r11}\n\t"

/* Columns c .. c + 3 by whole fours of keys. */
static void four_columns(const int8_t *v, int32_t stride, int32_t fours, int32_t *out, int32_t *next)
{
    for (; fours != 0; fours--)
        __asm__ volatile(TWO_KEYS TWO_KEYS
                         : [v] "+r"(v), [out] "+r"(out), [next] "+r"(next)
                         : [stride] "r"(stride)
                         : "r4", "r5", "r8", "r9", "r10", "r11", "memory");
}

#endif

void ember_attention_pack_values(const int8_t *v, int32_t stride, int32_t keys, int32_t columns, int32_t *out)
{
    const int32_t words = (keys + 3) >> 2 << 2; /* of a pair of columns */
    for (int32_t c = 0; c < columns; c += 2, out += words) {
        int32_t done = 0;
#if EMBER_HAS_ARMV7EM
        if ((c & 3) == 0 && c + 4 <= columns)
            four_columns(v + c, stride, keys >> 2, out, out + words);
        if ((c & 3) != 0 || c + 4 <= columns)
            done = keys & ~3;
#endif
        for (int32_t j = done; j < words; j += 2) {
            const int8_t *row = v + j * stride + c;
            const int32_t second = j + 1 < keys;
            for (int32_t i = 0; i < 2; i++)
                out[j + i] = j < keys ? ember_pair_of(row[i], second ? row[stride + i] : 0) : 0;
        }
    }
}
