/* q.nonzero, q.compare, q.logical and q.where. */
#ifndef EMBER_LOGIC_H
#define EMBER_LOGIC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "ember_elementwise.h"

typedef struct {
    int32_t count;
} ember_nonzero_params;

/* y = x != 0; y may be x where x has 1-byte elements. */
void ember_nonzero_s8(const int8_t *x, uint8_t *y, const ember_nonzero_params *p);
void ember_nonzero_s16(const int16_t *x, uint8_t *y, const ember_nonzero_params *p);
void ember_nonzero_s32(const int32_t *x, uint8_t *y, const ember_nonzero_params *p);

typedef enum { EMBER_EQ = 0, EMBER_NE = 1, EMBER_LT = 2, EMBER_LE = 3, EMBER_GT = 4, EMBER_GE = 5 } ember_comparison;

typedef struct {
    ember_broadcast shape;
    ember_comparison kind;
} ember_compare_params;

/* z = x kind y; bool operands go through _s8; z may be x or y where that operand has 1-byte elements and z's shape. */
void ember_compare_s8(const int8_t *x, const int8_t *y, uint8_t *z, const ember_compare_params *p);
void ember_compare_s16(const int16_t *x, const int16_t *y, uint8_t *z, const ember_compare_params *p);
void ember_compare_s32(const int32_t *x, const int32_t *y, uint8_t *z, const ember_compare_params *p);

typedef enum { EMBER_AND = 0, EMBER_OR = 1, EMBER_XOR = 2, EMBER_NOT = 3 } ember_connective;

typedef struct {
    ember_broadcast shape;
    ember_connective kind;
} ember_logical_params;

/* z = x kind y; y is not read for EMBER_NOT and may be NULL; z may be x or y where that operand has z's shape. */
void ember_logical(const uint8_t *x, const uint8_t *y, uint8_t *z, const ember_logical_params *p);

typedef struct {
    ember_broadcast shape;  /* of x and y */
    int32_t cs[EMBER_DIMS]; /* strides of c */
} ember_where_params;

/* z = c ? x : y, for elements of 1, 2 and 4 bytes; z may be x or y where that operand has z's shape. */
void ember_where_s8(const uint8_t *c, const int8_t *x, const int8_t *y, int8_t *z, const ember_where_params *p);
void ember_where_s16(const uint8_t *c, const int16_t *x, const int16_t *y, int16_t *z, const ember_where_params *p);
void ember_where_s32(const uint8_t *c, const int32_t *x, const int32_t *y, int32_t *z, const ember_where_params *p);

#ifdef __cplusplus
}
#endif
#endif
