/* q.attention on Helium: what its kernels share.
 *
 * Idea: K and V of a head are packed once, in the scratch, into the blocks of ember_mve_block.h, so that scores are a
 * matmul of two query rows (int8) and the weighted sums one of two rows of weights (int16). In between, eight scores
 * at a time: requantize, narrow, maximum; then table[maximum - score] by gather, and the total.
 * Keys 0 2 4 6 and 1 3 5 7 share a block: one step of narrowing leaves scores in order. int16 takes the same way
 * with sums of 64 bits (ember_mve_long_2x4.c), K where it lies.
 *
 * Private to the Helium kernels.
 */
#ifndef EMBER_MVE_ATTENTION_H
#define EMBER_MVE_ATTENTION_H

#include "ember_math.h"
#include "ember_mve.h"
#include "ember_mve_block.h"

typedef struct {
    const ember_attention_params *p;
    const void *q;
    const void *k;
    const void *v;
    const uint8_t *mask;
    int8_t *keys;     /* packed K of a head; int16: not used */
    int8_t *values;   /* packed V; int16: behind the weights */
    int16_t *weights; /* [2][padded] */
    int32_t *sums;    /* [blocks][8] of scores, then of outputs in the order of ember_mve_place */
    int32_t padded;   /* kv_rows, up to a multiple of 8 */
    int32_t batch;
    int32_t head;
    int32_t row;  /* query row of the batch */
    int32_t rows; /* from there: 1 or 2; 0 before the first ones */
    int32_t m[2]; /* of the outputs of each row, after `shift` */
    int32_t shift[2];
} ember_mve_attention;

/* Packs K and V of the head, int8. */
void ember_mve_pack_kv(const ember_mve_attention *at);

/* Moves on to the next rows of a head of int8: their sums, m and shift; 0 after the last ones. */
int ember_mve_attend(ember_mve_attention *at);

static inline ember_mve_attention ember_mve_attention_of(const void *q, const void *k, const void *v,
                                                         const uint8_t *mask, void *scratch,
                                                         const ember_attention_params *p)
{
    ember_mve_attention at = {.p = p, .q = q, .k = k, .v = v, .mask = mask};
    at.padded = (p->kv_rows + 7) & ~7;
    at.sums = scratch;
    at.weights = (int16_t *)(at.sums + 2 * (at.padded > p->head_dim ? at.padded : (p->head_dim + 3) & ~3));
    at.keys = (int8_t *)(at.weights + 2 * at.padded);
    at.values = at.keys + (at.padded >> 2) * (16 + 4 * p->head_dim);
    return at;
}

/* Where in y the outputs of the first row begin. */
static inline int32_t ember_mve_attention_out(const ember_mve_attention *at)
{
    const ember_attention_params *p = at->p;
    return ((at->batch * p->q_rows + at->row) * p->heads + at->head) * p->head_dim;
}

#endif
