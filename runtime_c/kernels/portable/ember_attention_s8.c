/* q.attention, int8 q, k and v, int8 y: one query row of one head at a time, so the scores take one row.
 *
 * Any values; scratch int16[kv_rows], 4-byte aligned; y may be q where that has no columns but its heads', and overlaps
 * none else.
 */
#include "ember_attention_row.h"

void ember_attention_s8(const int8_t *q, const int8_t *k, const int8_t *v, const uint8_t *mask, int8_t *y,
                        void *scratch, const ember_attention_params *restrict p)
{
    int16_t *weights = scratch;
    for (int32_t row = 0; row < p->batches * p->q_rows; row++) {
        for (int32_t h = 0; h < p->heads; h++) {
            const ember_attention_view at = ember_attention_at(q, k, v, mask, row, h, p);
            const ember_attention_scale scale = ember_attention_scale_of(ember_attention_weights(&at, weights, p), p);
            for (int32_t c = 0; c < p->head_dim; c += 4) {
                const int32_t used = ember_min(4, p->head_dim - c);
                int32_t mixed[4];
                ember_attention_mix4(&at, weights, scale, c, used, mixed, p);
                for (int32_t i = 0; i < used; i++)
                    *y++ = ember_clamp_s8(mixed[i]);
            }
        }
    }
}
