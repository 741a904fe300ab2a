/* q.softmax16: three passes a row, one 32-bit division a row; any values; y may be x.
 *
 * The weights wait in y: a weight is an int16. Their sum is below 2^24, so its leading zeros c are 8 .. 31.
 */
#include "ember_math.h"
#include "ember_norm.h"

void ember_softmax16_s16(const int16_t *x, int16_t *y, const ember_softmax16_params *restrict p)
{
    const int32_t half_index = 1 << (p->shift - 1);
    for (int32_t r = 0; r < p->rows; r++) {
        int32_t largest = INT16_MIN;
        for (int32_t i = 0; i < p->n; i++)
            largest = x[i] > largest ? x[i] : largest;
        uint32_t sum = 0;
        for (int32_t i = 0; i < p->n; i++) {
            const int32_t d = ((largest - x[i]) * p->m + half_index) >> p->shift;
            const int32_t e = p->table[ember_min(d, p->table_size - 1)];
            y[i] = (int16_t)e;
            sum += (uint32_t)e;
        }
        const int32_t c = ember_clz32(sum);
        const uint32_t inverse = 0x7FFFFFFFu / ((sum << c) >> 16);
        const uint32_t half = 1u << (31 - c);
        for (int32_t i = 0; i < p->n; i++) {
            const uint32_t e = (uint32_t)(int32_t)y[i]; /* e * inverse < 2^31 */
            y[i] = ember_clamp_s16((int32_t)((e * inverse + half) >> (32 - c)));
        }
        x += p->n;
        y += p->n;
    }
}
