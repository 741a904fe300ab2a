/* Sums of four rows of int16 and four columns: the inner loop of q.matmul of int16 x on RV32IM.
 *
 * Idea: int16 leaves no room for two products in a word: plain products, 4 x 4 share their loads.
 * Registers: 16 sums, 4 of x, a weight, a product, panel, its end, weights.
 * Preconditions: sums that fit 32 bits; panel [k][row]; stream as in ember_rv32_matmul.h.
 * Instructions per MAC: unit 40 / 16 = 2.5 (4 lh, 4 lb, 16 mul, 16 add), loop control 3 / 32.
 * Measured at 64,128,128: 2.66.
 */
#include "ember_rv32_matmul.h"

EMBER_RV32_KEEP_ORDER

EMBER_RV32_INLINE void unit(int32_t *s, const int16_t *x, const int8_t *w)
{
    const int32_t x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
    EMBER_RV32_UNROLLED
    for (int32_t c = 0; c < 4; c++) {
        const int32_t v = w[c];
        s[c] += x0 * v;
        s[c + 4] += x1 * v;
        s[c + 8] += x2 * v;
        s[c + 12] += x3 * v;
    }
}

void ember_rv32_sums_4x4_s16(int32_t *sums, const int16_t *panel, int32_t k, const int32_t *stream)
{
    int32_t s[16];
    EMBER_RV32_UNROLLED
    for (int32_t i = 0; i < 16; i++)
        s[i] = stream[i & 3];
    const int8_t *w = (const int8_t *)(stream + EMBER_RV32_HEAD);
    const int16_t *const end = panel + 4 * k;
    if (k % 2 != 0) {
        unit(s, panel, w);
        panel += 4;
        w += 4;
    }
    while (panel != end) {
        unit(s, panel, w);
        unit(s, panel + 4, w + 4);
        panel += 8;
        w += 8;
    }
    EMBER_RV32_UNROLLED
    for (int32_t i = 0; i < 16; i++)
        sums[i] = s[i];
}
