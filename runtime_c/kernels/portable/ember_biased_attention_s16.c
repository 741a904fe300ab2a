/* q.biased_attention, int16 q, k, v and y: one query row of one head at a time, so the scores take one row.
 *
 * Any values; scratch int16[kv_rows], 4-byte aligned; y may be q where that has no columns but its heads', and overlaps
 * none else.
 */
#include "ember_attention_row_s16.h"

void ember_biased_attention_s16(const int16_t *q, const int16_t *k, const int16_t *v, const uint8_t *mask,
                                const int16_t *bias, int16_t *y, void *scratch,
                                const ember_attention_params *restrict p)
{
    ember_attention_rows_s16(q, k, v, mask, bias, y, scratch, p);
}
