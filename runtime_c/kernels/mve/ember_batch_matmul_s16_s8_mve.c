/* q.batch_matmul, int16 a, int8 b, int8 y, with b packed at run time: see ember_mve_batch_matmul.h.
 *
 * Measured at 64,64,64, packing included: QK 0.335, PV 0.356 a MAC.
 */
#include "ember_mve.h"

#if EMBER_HAS_MVE

#include "ember_mve_batch_matmul.h"

void ember_batch_matmul_s16_s8_mve(const int16_t *a, const int8_t *b, int8_t *y, void *scratch,
                                   const ember_batch_matmul_params *restrict p)
{
    ember_mve_batch at = ember_mve_batch_of(a, b, scratch, p);
    while (ember_mve_batch_next_s16(&at)) {
        int8_t *out = y + ember_mve_batch_out(&at);
        for (int32_t r = 0; r < at.rows; r++, out += p->n)
            ember_mve_batch_finish(at.sums + 4 * r, out, 1, at.count, at.offset[r], p);
    }
}

#else

void ember_batch_matmul_s16_s8_mve(const int16_t *a, const int8_t *b, int8_t *y, void *scratch,
                                   const ember_batch_matmul_params *restrict p)
{
    (void)scratch;
    ember_batch_matmul_s16_s8(a, b, y, p);
}

#endif
