/* q.table16 on RV32IM: see ember_rv32_rows.h.
 *
 * Per element: load, 3 to the entries, their 2 loads, difference, place between them, multiplication, sum, shift, sum,
 * store and 4 / 8 of the loop = 13.5; measured at 128 x 128: 13.4.
 */
#include "ember_rv32_rows.h"

EMBER_RV32_INLINE int16_t between(const int16_t *middle, int32_t x)
{
    const int16_t *t = middle + (x >> 7);
    return (int16_t)(t[0] + (((t[1] - t[0]) * (x & 127) + 64) >> 7));
}

void ember_table16_s16_rv32(const int16_t *x, int16_t *y, const ember_table16_params *restrict p)
{
    const int16_t *middle = p->table + 256;
    int32_t n = p->count;
    for (; n >= EMBER_RV32_TURN; n -= EMBER_RV32_TURN, x += EMBER_RV32_TURN, y += EMBER_RV32_TURN) {
        EMBER_RV32_UNROLLED
        for (int32_t i = 0; i < EMBER_RV32_TURN; i++)
            y[i] = between(middle, x[i]);
    }
    for (int32_t i = 0; i < n; i++)
        y[i] = between(middle, x[i]);
}
