/* Epilogues of the q.matmul kernels that a table follows: a pass over y, since a lookup inside the multiplying loop
 * would need a register that it has not. About 3 instructions an element, 3 / k a MAC. */
#ifndef EMBER_DUAL_TABLE_H
#define EMBER_DUAL_TABLE_H

#include "ember_dual.h"

void ember_dual_matmul(const int8_t *x, uint8_t *y, int32_t stride, int32_t *scratch, const ember_dual_params *p,
                       int32_t size);
void ember_dual_matmul_m7(const int8_t *x, uint8_t *y, int32_t stride, int32_t *scratch, const ember_dual_params *p,
                          int32_t size);
void ember_dual_matmul_row(const int8_t *x, uint8_t *y, int32_t *scratch, const ember_dual_params *p, int32_t size);

/* y = table[y + 128] */
static inline void ember_dual_table_s8(int8_t *y, const int8_t *table, int32_t count)
{
    int32_t i = 0;
    table += 128;
    for (; i + 8 <= count; i += 8) {
        int8_t *z = y + i;
        const int8_t a = table[z[0]], b = table[z[1]], c = table[z[2]], d = table[z[3]];
        const int8_t e = table[z[4]], f = table[z[5]], g = table[z[6]], h = table[z[7]];
        z[0] = a;
        z[1] = b;
        z[2] = c;
        z[3] = d;
        z[4] = e;
        z[5] = f;
        z[6] = g;
        z[7] = h;
    }
    for (; i < count; i++)
        y[i] = table[y[i]];
}

/* y = table[x + 128], x in the upper half of y's bytes: element i is read before element 2 i is written. */
static inline void ember_dual_table_s16(const int8_t *x, int16_t *y, const int16_t *table, int32_t count)
{
    table += 128;
    for (int32_t i = 0; i < count; i++)
        y[i] = table[x[i]];
}

#endif
