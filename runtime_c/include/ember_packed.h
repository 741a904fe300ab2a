/* q.embed and q.matmul on packed weights: 2, 3 or 4 bits an element, unpacked a few rows at a time.
 *
 * The definition is compiler/emberc/ir/packed.py: w[r, k] = (codebook[code(r, k)] * gains[r, k / group] + 64) >> 7.
 */
#ifndef EMBER_PACKED_H
#define EMBER_PACKED_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EMBER_PACKED_COLUMNS 16

typedef struct {
    const uint8_t *codes;   /* [rows, row_bytes]: eight codes fill `bits` bytes, the lowest bit first */
    const int8_t *codebook; /* [1 << bits] */
    const uint8_t *gains;   /* [rows, groups], 0 .. 128 */
    int32_t bits;           /* 2, 3 or 4 */
    int32_t row_bytes;
    int32_t group; /* elements that share a gain, a multiple of 8 */
    int32_t groups;
} ember_packed;

typedef struct {
    const int8_t *table;        /* [vocabulary, d], or NULL where packed is given */
    const ember_packed *packed; /* NULL where table is given */
    const int32_t *m;           /* [1] or [d] */
    int32_t m_step;             /* 0: m is [1], 1: m is [d] */
    int32_t vocabulary;
} ember_packed_embed_part;

typedef struct {
    const ember_packed_embed_part *parts; /* [count] */
    const int32_t *bias;                  /* [d] */
    int32_t count;
    int32_t rows;
    int32_t d;
    int32_t frac;
} ember_packed_embed_params;

/* As ember_embed_s8 and _s16, some tables or all of them packed. */
int ember_packed_embed_s8(const int32_t *const *ids, int8_t *y, const ember_packed_embed_params *p);
int ember_packed_embed_s16(const int32_t *const *ids, int16_t *y, const ember_packed_embed_params *p);

typedef struct {
    const ember_packed *w; /* [n, k] */
    const int32_t *bias;   /* [n] */
    const int32_t *m;      /* [n] */
    const void *table;     /* NULL, or [256] elements of y's type, read at v + 128 */
    int32_t rows;
    int32_t k;
    int32_t n;
    int32_t k_slice; /* int16 x: products that an int32 surely holds */
    int32_t shift;
    int32_t zero_point;
    int32_t lo;
    int32_t hi;
} ember_packed_matmul_params;

/* As ember_matmul_s8 and its kin on a block of EMBER_PACKED_COLUMNS columns at a time.
 * scratch: the block's weights [EMBER_PACKED_COLUMNS, k], then its results [rows, EMBER_PACKED_COLUMNS]; the results
 * start at a multiple of 4 bytes. */
void ember_packed_matmul_s8(const int8_t *x, int8_t *y, void *scratch, const ember_packed_matmul_params *p);
void ember_packed_matmul_s8_s16(const int8_t *x, int16_t *y, void *scratch, const ember_packed_matmul_params *p);
void ember_packed_matmul_s16(const int16_t *x, int16_t *y, void *scratch, const ember_packed_matmul_params *p);
void ember_packed_matmul_s16_s8(const int16_t *x, int8_t *y, void *scratch, const ember_packed_matmul_params *p);

#ifdef __cplusplus
}
#endif
#endif
