/* q.matmul, int8 x, int8 y: four output channels at a time share the loads of a row of x.
 *
 * x [rows, k] of any values, w of any int8 values within the bounds that the compiler proved; scratch unused.
 */
#include <stddef.h>

#include "ember_matmul_row.h"

void ember_matmul_s8(const int8_t *x, int8_t *y, void *scratch, const ember_matmul_params *restrict p)
{
    const int8_t *table = p->table;
    (void)scratch;
    for (int32_t r = 0; r < p->rows; r++) {
        for (int32_t n = 0; n < p->n; n += 4) {
            const int32_t used = ember_min(4, p->n - n);
            int32_t v[4];
            ember_matmul4_s8(x, n, used, v, p);
            for (int32_t i = 0; i < used; i++)
                y[n + i] = table != NULL ? table[v[i] + 128] : (int8_t)v[i];
        }
        x += p->k;
        y += p->n;
    }
}
