/* q.matmul, int16 x, int16 y, on packed weights: a block of columns at a time.
 *
 * x [rows, k] of any values, weights within the bounds that the compiler proved; scratch as in ember_packed.h.
 */
#include "ember_packed_block.h"

void ember_packed_matmul_s16(const int16_t *x, int16_t *y, void *scratch, const ember_packed_matmul_params *restrict p)
{
    int16_t *tile = ember_packed_tile(scratch, p);
    for (int32_t n = 0; n < p->n; n += EMBER_PACKED_COLUMNS) {
        const ember_matmul_params block = ember_packed_block(n, scratch, p);
        ember_matmul_s16(x, tile, NULL, &block);
        ember_packed_store(tile, y, n, block.n, sizeof *y, p);
    }
}
