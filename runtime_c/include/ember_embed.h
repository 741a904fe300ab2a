/* q.embed: the sum of several embedding tables. */
#ifndef EMBER_EMBED_H
#define EMBER_EMBED_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const int8_t *table; /* [vocabulary, d] */
    const int32_t *m;    /* [1] or [d] */
    int32_t m_step;      /* 0: m is [1], 1: m is [d] */
    int32_t vocabulary;
} ember_embed_part;

typedef struct {
    const ember_embed_part *parts; /* [count] */
    const int32_t *bias;           /* [d] */
    int32_t count;
    int32_t rows;
    int32_t d;
    int32_t frac;
} ember_embed_params;

/* ids [count]: per table int32[rows], or NULL: the row number modulo the table's length. y [rows, d].
 * Returns EMBER_OK, or EMBER_ERR_RANGE for an id outside its table; y is then undefined. */
int ember_embed_s8(const int32_t *const *ids, int8_t *y, const ember_embed_params *p);
int ember_embed_s16(const int32_t *const *ids, int16_t *y, const ember_embed_params *p);

#ifdef __cplusplus
}
#endif
#endif
