/* q.attention, int8 q, k and v, int16 y: as ember_attention_s8_mve, with any zero point.
 *
 * Measured at 64,64,64, softmax and packing included: 0.256 a MAC.
 */
#include "ember_mve.h"

#if EMBER_HAS_MVE

#include "ember_mve_attention.h"
#include "ember_mve_attention_out.h"

void ember_attention_s8_s16_mve(const int8_t *q, const int8_t *k, const int8_t *v, const uint8_t *mask, int16_t *y,
                                void *scratch, const ember_attention_params *restrict p)
{
    ember_mve_attention at = ember_mve_attention_of(q, k, v, mask, scratch, p);
    while (ember_mve_attend(&at)) {
        int16_t *out = y + ember_mve_attention_out(&at);
        for (int32_t r = 0; r < at.rows; r++, out += p->heads * p->head_dim)
            ember_mve_attention_store(at.sums + 4 * r, out, p->head_dim, at.m[r], at.shift[r], p->zero_point);
    }
}

#else

void ember_attention_s8_s16_mve(const int8_t *q, const int8_t *k, const int8_t *v, const uint8_t *mask, int16_t *y,
                                void *scratch, const ember_attention_params *restrict p)
{
    ember_attention_s8_s16(q, k, v, mask, y, scratch, p);
}

#endif
