/* q.softmax on RV32IM: the portable kernel's three passes a row, each element's work reduced to what it needs.
 *
 * Idea: a pointer to the table's entry of the row's largest element; x backwards from there is the entry. The largest
 * one takes a branch that is hardly ever taken. A row has one division.
 * Per element: largest 2; sum: load, doubling, address, load, sum; result: load, doubling, address, load,
 * multiplication, sum, shift, clamp, sum, store; three loops 7 / 8: 17.9 and about 60 a row. Measured at 128 x 128: 18.3.
 */
#include "ember_norm.h"
#include "ember_rv32_rows.h"

EMBER_RV32_INLINE int32_t largest_of(const int8_t *x, int32_t n)
{
    int32_t largest = INT8_MIN;
    for (; n >= EMBER_RV32_TURN; n -= EMBER_RV32_TURN, x += EMBER_RV32_TURN) {
        EMBER_RV32_UNROLLED
        for (int32_t i = 0; i < EMBER_RV32_TURN; i++)
            if (x[i] > largest)
                largest = x[i];
    }
    for (int32_t i = 0; i < n; i++)
        if (x[i] > largest)
            largest = x[i];
    return largest;
}

EMBER_RV32_INLINE uint32_t sum_of(const int8_t *x, int32_t n, const uint16_t *top)
{
    uint32_t sum = 0;
    for (; n >= EMBER_RV32_TURN; n -= EMBER_RV32_TURN, x += EMBER_RV32_TURN) {
        EMBER_RV32_UNROLLED
        for (int32_t i = 0; i < EMBER_RV32_TURN; i++)
            sum += *(top - x[i]);
    }
    for (int32_t i = 0; i < n; i++)
        sum += *(top - x[i]);
    return sum;
}

typedef struct {
    uint32_t inverse;
    uint32_t half;
    int32_t shift;
} scale;

EMBER_RV32_INLINE int8_t share(uint32_t e, const scale *by)
{
    uint32_t v = (e * by->inverse + by->half) >> by->shift;
    if (v > 255)
        v = 255;
    EMBER_RV32_WHOLE_WORD(v);
    return (int8_t)((int32_t)v - 128);
}

void ember_softmax_s8_rv32(const int8_t *x, int8_t *y, const ember_softmax_params *restrict p)
{
    for (int32_t r = 0; r < p->rows; r++) {
        int32_t n = p->n;
        const uint16_t *top = p->table + largest_of(x, n);
        const uint32_t sum = sum_of(x, n, top);
        const int32_t c = ember_clz32(sum);
        const scale by = {0x7FFFFFFFu / ((sum << c) >> 16), 1u << (38 - c), 39 - c};
        for (; n >= EMBER_RV32_TURN; n -= EMBER_RV32_TURN, x += EMBER_RV32_TURN, y += EMBER_RV32_TURN) {
            EMBER_RV32_UNROLLED
            for (int32_t i = 0; i < EMBER_RV32_TURN; i++)
                y[i] = share(*(top - x[i]), &by);
        }
        for (int32_t i = 0; i < n; i++)
            y[i] = share(*(top - x[i]), &by);
        x += n;
        y += n;
    }
}
