/* Sums of two rows and four columns: what is left of q.matmul's rows on RV32IM.
 *
 * Idea: ember_rv32_pairs.h. Registers: 8 running sums, 2 words of x, 2 weights, 2 products, panel, its end, weights, the
 * lift. Preconditions: none on values; panel and stream as in ember_rv32_matmul.h.
 * Instructions per MAC: unit 38 / 16 = 2.375 (2 lw, 8 lb, 28 arithmetic), loop control 3 / 32.
 * Measured for two rows at k = 128: 2.71 a MAC with everything.
 */
#include "ember_rv32_matmul.h"

EMBER_RV32_KEEP_ORDER

EMBER_RV32_INLINE void unit(ember_rv32_pair *s, const int32_t *x, const int8_t *w)
{
    const int32_t x0 = x[0], x1 = x[1];
    EMBER_RV32_UNROLLED
    for (int32_t c = 0; c < 4; c++)
        ember_rv32_step(&s[c], x0, w[c], x1, w[c + 4]);
}

void ember_rv32_sums_2x4(int32_t *sums, const int32_t *panel, int32_t steps, const int32_t *stream)
{
    ember_rv32_pair s[4];
    EMBER_RV32_UNROLLED
    for (int32_t c = 0; c < 4; c++)
        s[c] = ember_rv32_start(stream[c], steps);
    const int8_t *w = (const int8_t *)(stream + EMBER_RV32_HEAD);
    const int32_t *const end = panel + 2 * steps;
    if (steps % 2 != 0) {
        unit(s, panel, w);
        panel += 2;
        w += 8;
    }
    while (panel != end) {
        unit(s, panel, w);
        unit(s, panel + 2, w + 8);
        panel += 4;
        w += 16;
    }
    EMBER_RV32_UNROLLED
    for (int32_t c = 0; c < 4; c++) {
        sums[c] = ember_rv32_low(s[c]);
        sums[c + 4] = ember_rv32_high(s[c]);
    }
}
