/* Arithmetic on indices, int32, wrapping around: q.index, q.cumsum, q.widen; q.remap. */
#ifndef EMBER_INDEX_H
#define EMBER_INDEX_H

#include <stdint.h>

#include "ember_elementwise.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { EMBER_INDEX_ADD, EMBER_INDEX_SUB, EMBER_INDEX_MUL, EMBER_INDEX_MIN, EMBER_INDEX_MAX } ember_index_kind;

typedef struct {
    ember_broadcast shape;
    ember_index_kind kind;
} ember_index_params;

/* z = x kind y */
void ember_index_s32(const int32_t *x, const int32_t *y, int32_t *z, const ember_index_params *p);

typedef struct {
    int32_t outer;
    int32_t length;
    int32_t inner;
    int32_t exclusive; /* 1: the element itself is left out */
    int32_t reverse;   /* 1: from the end */
} ember_cumsum_params;

/* y[o, l, i] = sum of x[o, 0 .. l, i]; y may be x */
void ember_cumsum_s32(const int32_t *x, int32_t *y, const ember_cumsum_params *p);

typedef struct {
    int32_t count;
} ember_widen_params;

/* y = x as a number; y is not x */
void ember_widen(const uint8_t *x, int32_t *y, const ember_widen_params *p);

typedef struct {
    const uint32_t *bits;  /* [ceil(vocabulary / 32)]: the kept ids */
    const int32_t *counts; /* the same: kept ids below the word's first */
    int32_t count;
    int32_t vocabulary;
    int32_t other; /* for ids that are not kept */
} ember_remap_params;

/* y[i] = number of kept ids below ids[i]; y may be ids. EMBER_ERR_RANGE for an id outside [0, vocabulary). */
int ember_remap_s32(const int32_t *ids, int32_t *y, const ember_remap_params *p);

#ifdef __cplusplus
}
#endif
#endif
