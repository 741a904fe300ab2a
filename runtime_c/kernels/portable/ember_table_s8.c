/* q.table, int8 x, int8 y: y = table[x + 128]; y may be x. */
#include "ember_table.h"

void ember_table_s8(const int8_t *x, int8_t *y, const ember_table_params *restrict p)
{
    const int8_t *table = p->table;
    for (int32_t i = 0; i < p->count; i++)
        y[i] = table[x[i] + 128];
}
