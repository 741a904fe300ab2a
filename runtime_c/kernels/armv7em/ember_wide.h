/* int16 activations times int8 weights: what the q.matmul kernels of int16 x share.
 *
 * Idea: x is paired once a row (ember_pair.h), a word of four weights becomes two pairs by two SXTB16 for two rows, and
 * SMLAD does two products at a time. The weights keep one byte each.
 * Stream, for every two columns: two biases, [k / 4][column 0, column 1] words of four weights, two multipliers; k padded
 * with 0 to a multiple of 4. Where 32 bits may not hold a column's sum, k comes in slices that they do hold, each a
 * stream of its own with biases in the first one alone; slices are added in 64 bits.
 *
 * Private to the Armv7E-M kernels. The packer is compiler/emberc/backend/c/variants/armv7em_wide.py.
 */
#ifndef EMBER_WIDE_H
#define EMBER_WIDE_H

#include "ember_math.h"
#include "ember_pair.h"

/* What becomes of the four sums of a block; the numbers index a table of ember_wide_2x2. */
enum { EMBER_WIDE_S8, EMBER_WIDE_S16, EMBER_WIDE_SUMS, EMBER_WIDE_PASS };

/* Arguments of ember_wide_2x2, which copies the first words to its stack in this order; for `reserved` see
 * ember_pair.h. */
typedef struct {
    const int32_t *rows; /* two, in the words of ember_pair_rows_s16 */
    const int32_t *stream_end;
    int32_t zero_point;
    void *y;
    int32_t stride; /* bytes between the two rows of y */
    int32_t shift;  /* of the sums, to the right */
    const int32_t *rows_end;
    const int32_t *stream;
    uint32_t entry;
    uint32_t after;
    uint32_t last;
    uint32_t reserved[22];
} ember_wide_block;

/* y[r, c] = clamp((bias c + sum_k rows[r, k] * weights[c, k] >> shift) * m c + zero_point), r = 0, 1; all columns.
 * EMBER_WIDE_SUMS stores the sums as they are, int32 [c / 2][r][2]. */
void ember_wide_2x2(const ember_wide_block *block);

/* All rows; elements of y of `size` bytes. */
void ember_wide_matmul(const int16_t *x, uint8_t *y, int32_t *scratch, const ember_wide_params *p, int32_t size);

enum { EMBER_WIDE_BODY = 12, EMBER_WIDE_UNIT = 56 };

/* Prepares a block for sums over `k`, a multiple of 4 (at least 4), that end as `end` says. */
static inline void ember_wide_enter(ember_wide_block *block, int32_t k, uint32_t end)
{
    const int32_t units = k >> 2;
    const int32_t part = units % EMBER_WIDE_BODY;
    block->entry = (uint32_t)(part == 0 ? 0 : (EMBER_WIDE_BODY - part) * EMBER_WIDE_UNIT);
    block->after = units > EMBER_WIDE_BODY ? EMBER_WIDE_PASS : end;
    block->last = end;
}

#endif
