/* What the four packed q.matmul kernels share: a block of columns as the parameters of the kernel for int8 weights.
 *
 * Private to the portable kernels.
 */
#ifndef EMBER_PACKED_BLOCK_H
#define EMBER_PACKED_BLOCK_H

#include <string.h>

#include "ember_math.h"
#include "ember_matmul.h"
#include "ember_packed.h"
#include "ember_unpack.h"

/* The results in scratch, behind the weights of a block. */
static inline void *ember_packed_tile(void *scratch, const ember_packed_matmul_params *p)
{
    return (uint8_t *)scratch + ((EMBER_PACKED_COLUMNS * p->k + 3) & ~3);
}

/* Unpacks the weights of the columns from n on into scratch: what is left to do is a q.matmul. */
static inline ember_matmul_params ember_packed_block(int32_t n, void *scratch, const ember_packed_matmul_params *p)
{
    int8_t *w = scratch;
    const int32_t columns = ember_min(EMBER_PACKED_COLUMNS, p->n - n);
    const ember_matmul_params block = {w,       p->bias + n, p->m + n, p->table,      p->rows, p->k,
                                       columns, p->k_slice,  p->shift, p->zero_point, p->lo,   p->hi};
    for (int32_t i = 0; i < columns; i++)
        ember_unpack(p->w, n + i, 0, p->k, w + i * p->k);
    return block;
}

/* tile [rows, columns] to the columns from n on of y [rows, p->n], elements of `size` bytes. */
static inline void ember_packed_store(const void *tile, void *y, int32_t n, int32_t columns, int32_t size,
                                      const ember_packed_matmul_params *p)
{
    const uint8_t *from = tile;
    uint8_t *to = (uint8_t *)y + n * size;
    for (int32_t r = 0; r < p->rows; r++) {
        memcpy(to, from, (size_t)(columns * size));
        from += columns * size;
        to += p->n * size;
    }
}

#endif
