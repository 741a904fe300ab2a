/* q.batch_matmul, int8 a, int8 b, int16 y, with b packed at run time: see ember_mve_batch_matmul.h.
 *
 * Measured at 64,64,64, packing included: QK 0.210, PV 0.225 a MAC.
 */
#include "ember_mve.h"

#if EMBER_HAS_MVE

#include "ember_mve_batch_matmul.h"

void ember_batch_matmul_s8_s16_mve(const int8_t *a, const int8_t *b, int16_t *y, void *scratch,
                                   const ember_batch_matmul_params *restrict p)
{
    ember_mve_batch at = ember_mve_batch_of(a, b, scratch, p);
    while (ember_mve_batch_next_s8(&at)) {
        int16_t *out = y + ember_mve_batch_out(&at);
        for (int32_t r = 0; r < at.rows; r++, out += p->n)
            ember_mve_batch_finish(at.sums + 4 * r, (int8_t *)out, 2, at.count, at.offset[r], p);
    }
}

#else

void ember_batch_matmul_s8_s16_mve(const int8_t *a, const int8_t *b, int16_t *y, void *scratch,
                                   const ember_batch_matmul_params *restrict p)
{
    (void)scratch;
    ember_batch_matmul_s8_s16(a, b, y, p);
}

#endif
