/* Steps of q.attention on Armv7E-M, in the order of ember_attention_walk.h. Private to the kernels.
 *
 * Scores are uint16, score + 32768, so that 0 stands for a masked key; two query rows lie side by side as
 * [key / 2][row][2], which is what ember_pair_2x2 writes and, once they are weights, reads.
 */
#ifndef EMBER_ATTENTION_ARMV7EM_H
#define EMBER_ATTENTION_ARMV7EM_H

#include "ember_armv7em.h"
#include "ember_math.h"
#include "ember_pair.h"

enum { EMBER_ATTENTION_CHUNK = 16, EMBER_ATTENTION_FEW = 4, EMBER_ATTENTION_PACK = 2048 };

/* Query rows that share a packing of K and of V, before the limit above: their scores take 4 KiB, or an eighth of a
 * packed head where that is more. Even. */
static inline int32_t ember_attention_chunk(int32_t keys, int32_t head_dim)
{
    const int32_t rows = 2048 / keys > head_dim / 8 ? 2048 / keys : head_dim / 8;
    return rows < 2 ? 2 : rows & ~1;
}

/* Who runs few query rows at a time is short of memory: K and V are packed into half as much then, and the panels of
 * all rows of a chunk, which spare packing them for every block of keys, lie behind the keys, where V comes later. */
static inline int32_t ember_attention_is_few(int32_t chunk)
{
    return chunk <= EMBER_ATTENTION_FEW;
}

/* Keys that are packed together, their values as int16 taking 4 KiB, or 2 with the panels; a multiple of 4. `dim` is
 * padded. */
static inline int32_t ember_attention_keys(int32_t keys, int32_t dim, int32_t chunk)
{
    const int32_t few = ember_attention_is_few(chunk);
    const int32_t most = (few ? EMBER_ATTENTION_PACK / 2 - chunk * dim : EMBER_ATTENTION_PACK) / dim & ~3;
    return most < 4 ? 4 : most < keys ? most : keys;
}

/* Columns of V that are packed together: all, or an even number. Four are packed by the word. `keys` is padded. */
static inline int32_t ember_attention_columns(int32_t keys, int32_t head_dim, int32_t chunk)
{
    const int32_t few = ember_attention_is_few(chunk), least = few ? 4 : 2;
    const int32_t most = EMBER_ATTENTION_PACK / (few ? 2 : 1) / keys & ~1;
    return ember_min(most < least ? least : most, head_dim);
}

/* What lies where in the scratch, see ember_attention_walk.h. */
typedef struct {
    int32_t keys;    /* padded */
    int32_t dim;     /* padded */
    int32_t chunk;   /* query rows, even */
    int32_t block;   /* keys packed together, a multiple of 4 */
    int32_t columns; /* columns of V packed together */
    int32_t panels;  /* pairs of query rows packed at a time: all of the chunk, or 1 */
    int32_t *pack;
    uint32_t *scores;
    int32_t *rows;
    uint32_t *masks;
    int32_t is_masked;
} ember_attention_layout;

static inline ember_attention_layout ember_attention_layout_of(int32_t *scratch, const ember_attention_params *p,
                                                               const uint8_t *mask)
{
    ember_attention_layout at;
    at.keys = (p->kv_rows + 3) & ~3;
    at.dim = (p->head_dim + 3) & ~3;
    at.chunk =
        ember_min(ember_min(EMBER_ATTENTION_CHUNK, (p->q_rows + 1) & ~1), ember_attention_chunk(at.keys, at.dim));
    at.block = ember_attention_keys(at.keys, at.dim, at.chunk);
    at.columns = ember_attention_columns(at.keys, p->head_dim, at.chunk);
    at.pack = scratch;
    const int32_t few = ember_attention_is_few(at.chunk);
    const int32_t keys_pack = (at.block + (few ? at.chunk : 0)) * at.dim,
                  columns_pack = ((at.columns + 1) & ~1) * at.keys;
    at.scores = (uint32_t *)(at.pack + (keys_pack > columns_pack ? keys_pack : columns_pack) / 2);
    int32_t *end = (int32_t *)at.scores + at.chunk / 2 * at.keys;
    at.masks = (uint32_t *)end + (few ? 0 : at.dim);
    at.rows = few ? at.pack + at.block * at.dim / 2 : end;
    at.panels = few ? at.chunk / 2 : 1;
    at.is_masked = mask != NULL || p->causal != 0 || at.keys != p->kv_rows;
    return at;
}

/* All batches and heads of int8; `size` is that of an element of y. */
void ember_attention_heads(const int8_t *q, const int8_t *k, const int8_t *v, const uint8_t *mask, uint8_t *y,
                           int32_t *scratch, const ember_attention_params *p, int32_t size);

/* scores -> weights of two rows, in place; their sums to total[2]. `keys` is a multiple of 4; masks NULL, or the
 * scores' layout with lanes of 0 (masked) or 0xFFFF. `table` is the op's, reversed. */
void ember_attention_exp(uint32_t *scores, const uint32_t *masks, int32_t keys, const int16_t *table,
                         int32_t table_size, uint32_t total[2]);

#endif
