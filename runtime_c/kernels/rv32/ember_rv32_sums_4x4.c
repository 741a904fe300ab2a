/* Sums of four rows and four columns: the inner loop of q.matmul on RV32IM.
 *
 * Idea: ember_rv32_pairs.h, with two words for four rows.
 * Registers: 16 running sums, 4 words of x, 2 weights, 2 products, panel, its end, weights, the lift: all 28 that C code
 * has, so the loop is a function of its own.
 * Preconditions: none on values; panel and stream as in ember_rv32_matmul.h.
 * Instructions per MAC: unit 68 / 32 = 2.125 (4 lw, 8 lb, 56 arithmetic), loop control 3 / 128; measured 280 / 128 =
 * 2.19 in the loop, and about 7 an output around it (gcc 12, -O2).
 */
#include "ember_rv32_matmul.h"

EMBER_RV32_KEEP_ORDER

enum { UNROLL = 4 };

EMBER_RV32_INLINE void unit(ember_rv32_pair *s, const int32_t *x, const int8_t *w)
{
    const int32_t a0 = x[0], a1 = x[2], b0 = x[1], b1 = x[3];
    EMBER_RV32_UNROLLED
    for (int32_t c = 0; c < 4; c++) {
        const int32_t w0 = w[c], w1 = w[c + 4];
        ember_rv32_step(&s[c], a0, w0, a1, w1);
        ember_rv32_step(&s[c + 4], b0, w0, b1, w1);
    }
}

void ember_rv32_sums_4x4(int32_t *sums, const int32_t *panel, int32_t steps, const int32_t *stream)
{
    ember_rv32_pair s[8];
    EMBER_RV32_UNROLLED
    for (int32_t c = 0; c < 4; c++)
        s[c] = s[c + 4] = ember_rv32_start(stream[c], steps);
    const int8_t *w = (const int8_t *)(stream + EMBER_RV32_HEAD);
    const int32_t *end = panel + 4 * (steps % UNROLL);
    while (panel != end) {
        unit(s, panel, w);
        panel += 4;
        w += 8;
    }
    end += 4 * (steps - steps % UNROLL);
    while (panel != end) {
        EMBER_RV32_UNROLLED
        for (int32_t i = 0; i < UNROLL; i++)
            unit(s, panel + 4 * i, w + 8 * i);
        panel += 4 * UNROLL;
        w += 8 * UNROLL;
    }
    EMBER_RV32_UNROLLED
    for (int32_t c = 0; c < 4; c++) {
        sums[c] = ember_rv32_low(s[c]);
        sums[c + 4] = ember_rv32_high(s[c]);
        sums[c + 8] = ember_rv32_low(s[c + 4]);
        sums[c + 12] = ember_rv32_high(s[c + 4]);
    }
}
