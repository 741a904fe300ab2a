/* q.table, int8 x, int16 y: y = table[x + 128]. */
#include "ember_table.h"

void ember_table_s8_s16(const int8_t *x, int16_t *y, const ember_table_params *restrict p)
{
    const int16_t *table = p->table;
    for (int32_t i = 0; i < p->count; i++)
        y[i] = table[x[i] + 128];
}
