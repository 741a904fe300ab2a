/* q.attention. */
#ifndef EMBER_ATTENTION_H
#define EMBER_ATTENTION_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const int16_t *table; /* [table_size], falling, 0 at the end */
    int32_t table_size;
    int32_t batches;
    int32_t q_rows;
    int32_t kv_rows;
    int32_t heads; /* of q and y */
    int32_t head_dim;
    int32_t group;    /* query heads that share a key/value head */
    int32_t q_stride; /* elements from one row to the next */
    int32_t k_stride;
    int32_t v_stride;
    int32_t q_offset; /* column of head 0 */
    int32_t k_offset;
    int32_t v_offset;
    int32_t mask_batch; /* elements of mask from one batch to the next; 0: shared */
    int32_t mask_row;   /* elements of mask from one query row to the next; 0: shared */
    int32_t causal;     /* 1: query i sees keys up to i + kv_rows - q_rows */
    int32_t m_score;
    int32_t shift_score;
    uint32_t c_out;
    int32_t shift_out; /* -24 .. 13 */
    int32_t zero_point;
} ember_attention_params;

/* q [batches, q_rows, q_stride], k and v [batches, kv_rows, *], y [batches, q_rows, heads * head_dim];
 * mask NULL (all true) or bool [batches or 1, q_rows or 1, kv_rows]; scratch int16[kv_rows], 4-byte aligned.
 * q, k and v may be the same buffer; y is another one. */
void ember_attention_s8(const int8_t *q, const int8_t *k, const int8_t *v, const uint8_t *mask, int8_t *y,
                        void *scratch, const ember_attention_params *p);
void ember_attention_s8_s16(const int8_t *q, const int8_t *k, const int8_t *v, const uint8_t *mask, int16_t *y,
                            void *scratch, const ember_attention_params *p);
void ember_attention_s16(const int16_t *q, const int16_t *k, const int16_t *v, const uint8_t *mask, int16_t *y,
                         void *scratch, const ember_attention_params *p);

/* The same with bias [heads, q_rows, kv_rows], in steps, added to the scores. */
void ember_biased_attention_s8(const int8_t *q, const int8_t *k, const int8_t *v, const uint8_t *mask,
                               const int16_t *bias, int8_t *y, void *scratch, const ember_attention_params *p);
void ember_biased_attention_s8_s16(const int8_t *q, const int8_t *k, const int8_t *v, const uint8_t *mask,
                                   const int16_t *bias, int16_t *y, void *scratch, const ember_attention_params *p);
void ember_biased_attention_s16(const int16_t *q, const int16_t *k, const int16_t *v, const uint8_t *mask,
                                const int16_t *bias, int16_t *y, void *scratch, const ember_attention_params *p);

#ifdef __cplusplus
}
#endif
#endif
