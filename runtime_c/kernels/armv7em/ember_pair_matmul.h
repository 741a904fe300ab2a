/* q.batch_matmul on Armv7E-M: what its kernels share. Private to the kernels. */
#ifndef EMBER_PAIR_MATMUL_H
#define EMBER_PAIR_MATMUL_H

#include "ember_math.h"
#include "ember_pair.h"

/* Columns that are packed together: their rows are widened once for all of them, in 2 * 64 * k bytes of scratch. */
enum { EMBER_PAIR_COLUMNS = 64 };

/* Elements of a: int8, or int16 of zero point 0. `y_size` is that of an element of y. The sums fit 32 bits. */
void ember_pair_matmul(const void *a, int32_t a_size, const int8_t *b, uint8_t *y, int32_t y_size, int32_t *scratch,
                       const ember_batch_matmul_params *p);

/* The same of int16 for sums of any size. */
void ember_pair_matmul_long(const int16_t *a, const int8_t *b, uint8_t *y, int32_t y_size, int32_t *scratch,
                            const ember_batch_matmul_params *p);

/* k rows of `count` columns of b, side by side in rows or in columns, for ember_pair_2x2. */
void ember_pair_pack(const int8_t *b, int32_t k, int32_t count, int32_t *out, const ember_batch_matmul_params *p);

/* Products of an int16 and a value of b that 32 bits surely hold, rounded down to whole fours. At least 256. */
static inline int32_t ember_pair_slice(const ember_batch_matmul_params *p)
{
    const int32_t span = p->zb < 0 ? 127 - p->zb : 128 + p->zb;
    return INT32_MAX / (32768 * span) & ~3;
}

#endif
