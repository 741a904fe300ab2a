/* q.matmul, int8 x, int8 y: two rows by two columns at a time, what is left of the rows by four columns.
 *
 * x [rows, k] of any values, w of any int8 values within the bounds that the compiler proved; scratch unused.
 */
#include <stddef.h>

#include "ember_matmul_row.h"

static int8_t entry(int32_t v, const int8_t *table)
{
    return table != NULL ? table[v + 128] : (int8_t)v;
}

void ember_matmul_s8(const int8_t *x, int8_t *y, void *scratch, const ember_matmul_params *restrict p)
{
    int32_t rows = p->rows;
    (void)scratch;
    for (; rows >= 2; rows -= 2) {
        for (int32_t n = 0; n < p->n; n += 2) {
            const int32_t n1 = ember_min(n + 1, p->n - 1);
            int32_t v[4];
            ember_matmul2x2_s8(x, n, n1, v, p);
            y[n] = entry(v[0], p->table);
            y[n1] = entry(v[1], p->table);
            y[p->n + n] = entry(v[2], p->table);
            y[p->n + n1] = entry(v[3], p->table);
        }
        x += 2 * p->k;
        y += 2 * p->n;
    }
    for (int32_t n = 0; rows != 0 && n < p->n; n += 4) {
        const int32_t used = ember_min(4, p->n - n);
        int32_t v[4];
        ember_matmul4_s8(x, n, used, v, p);
        for (int32_t i = 0; i < used; i++)
            y[n + i] = entry(v[i], p->table);
    }
}
