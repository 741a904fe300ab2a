/* q.softmax: three passes a row, one 32-bit division a row; any values; y may be x.
 *
 * The sum is below 2^24, so its leading zeros c are at least 8 and sh = 39 - c is in 8 .. 31.
 */
#include "ember_math.h"
#include "ember_norm.h"

void ember_softmax_s8(const int8_t *x, int8_t *y, const ember_softmax_params *restrict p)
{
    for (int32_t r = 0; r < p->rows; r++) {
        int32_t largest = INT8_MIN;
        for (int32_t i = 0; i < p->n; i++)
            largest = x[i] > largest ? x[i] : largest;
        uint32_t sum = 0;
        for (int32_t i = 0; i < p->n; i++)
            sum += p->table[largest - x[i]];
        const int32_t c = ember_clz32(sum);
        const uint32_t inverse = 0x7FFFFFFFu / ((sum << c) >> 16);
        const uint32_t half = 1u << (38 - c);
        for (int32_t i = 0; i < p->n; i++) {
            const uint32_t e = p->table[largest - x[i]]; /* e * inverse < 2^31 */
            y[i] = ember_clamp_s8((int32_t)((e * inverse + half) >> (39 - c)) - 128);
        }
        x += p->n;
        y += p->n;
    }
}
