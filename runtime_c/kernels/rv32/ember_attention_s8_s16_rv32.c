/* q.attention, int8 q, k and v, int16 y, on RV32IM: four query rows of one head at a time.
 *
 * Idea, registers and instructions per MAC: ember_rv32_attention.h. Measured (gcc 12, -O2), softmax included, for
 * query rows, head_dim, keys: 64,64,64 3.01; 128,40,128 3.01.
 * Preconditions: head_dim >= 4, any values; scratch 8 * (head_dim + kv_rows + 2) bytes, 4-byte aligned; y overlaps
 * none of q, k, v.
 */
#include "ember_rv32.h"
#include "ember_rv32_attention.h"

EMBER_RV32_KEEP_ORDER

void ember_attention_s8_s16_rv32(const int8_t *q, const int8_t *k, const int8_t *v, const uint8_t *mask, int16_t *y,
                                 void *scratch, const ember_attention_params *restrict p)
{
    ember_rv32_attention(q, k, v, mask, y, 1, scratch, p);
}
