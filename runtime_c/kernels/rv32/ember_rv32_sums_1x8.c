/* Sums of one row and eight columns: q.matmul of a single row on RV32IM, where no second row shares a word.
 *
 * Idea: plain products, eight columns share the loads of x. Registers: 8 sums, x, a weight, a product, x's pointer and
 * end, two weight pointers. Preconditions: none on values; stream as in ember_rv32_matmul.h.
 * Instructions per MAC: unit 25 / 8 = 3.125 (9 lb, 8 mul, 8 add), loop control 4 / 64; measured 204 / 64 =
 * 3.19 in the loop (gcc 12, -O2).
 */
#include "ember_rv32_matmul.h"

EMBER_RV32_KEEP_ORDER

enum { UNROLL = 8 };

/* Loads, products and sums in turn: none waits for the one before. */
EMBER_RV32_INLINE void unit(int32_t *s, int32_t x, const int8_t *u, const int8_t *v)
{
    int32_t products[8];
    EMBER_RV32_UNROLLED
    for (int32_t c = 0; c < 4; c++) {
        products[c] = u[c];
        products[c + 4] = v[c];
    }
    EMBER_RV32_UNROLLED
    for (int32_t c = 0; c < 8; c++)
        products[c] *= x;
    EMBER_RV32_UNROLLED
    for (int32_t c = 0; c < 8; c++)
        s[c] += products[c];
}

void ember_rv32_sums_1x8(int32_t *sums, const int8_t *x, int32_t k, const int32_t *first, const int32_t *second)
{
    int32_t s[8];
    EMBER_RV32_UNROLLED
    for (int32_t c = 0; c < 4; c++) {
        s[c] = first[c];
        s[c + 4] = second[c];
    }
    const int8_t *u = (const int8_t *)(first + EMBER_RV32_HEAD), *v = (const int8_t *)(second + EMBER_RV32_HEAD);
    const int8_t *end = x + k % UNROLL;
    while (x != end) {
        unit(s, *x++, u, v);
        u += 4;
        v += 4;
    }
    end += k - k % UNROLL;
    while (x != end) {
        EMBER_RV32_UNROLLED
        for (int32_t i = 0; i < UNROLL; i++)
            unit(s, x[i], u + 4 * i, v + 4 * i);
        x += UNROLL;
        u += 4 * UNROLL;
        v += 4 * UNROLL;
    }
    EMBER_RV32_UNROLLED
    for (int32_t c = 0; c < 8; c++)
        sums[c] = s[c];
}
