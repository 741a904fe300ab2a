/* q.table and q.table16: functions of one variable. */
#ifndef EMBER_TABLE_H
#define EMBER_TABLE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const void *table; /* [256] elements of y's type */
    int32_t count;
} ember_table_params;

/* y = table[x + 128]; y may be x where they have one type. */
void ember_table_s8(const int8_t *x, int8_t *y, const ember_table_params *p);
void ember_table_s8_s16(const int8_t *x, int16_t *y, const ember_table_params *p);

typedef struct {
    const int16_t *table; /* [513] */
    int32_t count;
} ember_table16_params;

/* Linear interpolation between the entries at multiples of 128; y may be x. */
void ember_table16_s16(const int16_t *x, int16_t *y, const ember_table16_params *p);

#ifdef __cplusplus
}
#endif
#endif
