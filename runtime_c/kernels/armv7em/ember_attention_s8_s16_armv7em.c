/* q.attention, int8 q, k and v, int16 y, see ember_attention_heads.c.
 *
 * Measured on Cortex-M4 at 64,64,64, softmax and packing included: 0.913 a MAC.
 */
#include "ember_attention_armv7em.h"

void ember_attention_s8_s16_armv7em(const int8_t *q, const int8_t *k, const int8_t *v, const uint8_t *mask, int16_t *y,
                                    void *scratch, const ember_attention_params *p)
{
    ember_attention_heads(q, k, v, mask, (uint8_t *)y, scratch, p, 2);
}
