/* q.table16: 513 entries at multiples of 128, linear between them; any values; y may be x. */
#include "ember_table.h"

void ember_table16_s16(const int16_t *x, int16_t *y, const ember_table16_params *restrict p)
{
    for (int32_t i = 0; i < p->count; i++) {
        const int16_t *t = p->table + 256 + (x[i] >> 7);
        /* at most 65535 * 127, and between t[0] and t[1] */
        y[i] = (int16_t)(t[0] + (((t[1] - t[0]) * (x[i] & 127) + 64) >> 7));
    }
}
