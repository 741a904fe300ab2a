/* q.table, int8 x, int8 y: eight lookups before their stores; y may be x.
 *
 * Predicted 3.1 instructions an element; measured on Cortex-M4 3.13.
 */
#include "ember_armv7em.h"

void ember_table_s8_armv7em(const int8_t *x, int8_t *y, const ember_table_params *p)
{
    const int8_t *t = (const int8_t *)p->table + 128;
    int32_t left = p->count;
    for (; left >= 32; left -= 32) {
#pragma GCC unroll 4
        for (int32_t k = 0; k < 4; k++, x += 8, y += 8) {
            const int8_t a = t[x[0]], b = t[x[1]], c = t[x[2]], d = t[x[3]];
            const int8_t e = t[x[4]], f = t[x[5]], g = t[x[6]], h = t[x[7]];
            y[0] = a;
            y[1] = b;
            y[2] = c;
            y[3] = d;
            y[4] = e;
            y[5] = f;
            y[6] = g;
            y[7] = h;
        }
    }
    for (; left > 0; left--)
        *y++ = t[*x++];
}
