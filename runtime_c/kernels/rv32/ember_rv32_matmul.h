/* The parts of q.matmul on int8 x: sums of blocks of the packed weights, and the kernel that both result types share.
 *
 * Private to the rv32 kernels. A block of the stream is four columns: bias [4], m [4], weights int8 [k even, 4].
 */
#ifndef EMBER_RV32_MATMUL_H
#define EMBER_RV32_MATMUL_H

#include "ember_rv32.h"
#include "ember_rv32_pairs.h"

/* Words of a block before its weights. */
enum { EMBER_RV32_HEAD = 8 };

/* sums [row][column] of four rows and a block. panel [step][k 0, 1][rows 01, rows 23] for 2 k a step. */
void ember_rv32_sums_4x4(int32_t *sums, const int32_t *panel, int32_t steps, const int32_t *stream);

/* The same of two rows; panel [step][k 0, 1]. */
void ember_rv32_sums_2x4(int32_t *sums, const int32_t *panel, int32_t steps, const int32_t *stream);

/* sums [8] of a row x [k] and two blocks, which may be one. */
void ember_rv32_sums_1x8(int32_t *sums, const int8_t *x, int32_t k, const int32_t *first, const int32_t *second);

/* sums [row][column] of four int16 rows and a block; panel [k][row]. */
void ember_rv32_sums_4x4_s16(int32_t *sums, const int16_t *panel, int32_t k, const int32_t *stream);

/* q.matmul of int8 x; `wide` is 1 for int16 y. */
void ember_rv32_matmul(const int8_t *x, void *y, int wide, void *scratch, const ember_rv32_matmul_params *p);

/* The same of int16 x. */
void ember_rv32_matmul_s16(const int16_t *x, void *y, int wide, void *scratch, const ember_rv32_matmul_params *p);

/* b of one batch of q.batch_matmul as a stream. */
void ember_rv32_batch_pack(const int8_t *b, int32_t *stream, const ember_batch_matmul_params *p);

/* A batch of q.batch_matmul as a q.matmul, behind whose panel in the scratch the stream lies. */
static inline ember_rv32_matmul_params ember_rv32_batch_params(int32_t *stream, int wide,
                                                               const ember_batch_matmul_params *p)
{
    const int32_t lo = wide ? INT16_MIN : INT8_MIN;
    const ember_rv32_matmul_params q = {.stream = stream,
                                        .rows = p->rows,
                                        .k = p->k,
                                        .n = p->n,
                                        .shift = (p->shift > 0 ? p->shift : 0) + 1,
                                        .offset = 2 * (p->zero_point - lo) + 1,
                                        .lo = lo,
                                        .hi = -1 - lo,
                                        .right = p->shift < 0 ? -p->shift : 0,
                                        .w_zero = p->zb};
    return q;
}

#endif
