/* The right operand of q.batch_matmul as pairs: columns of b that are its rows, or that lie across them. */
#include "ember_pair_matmul.h"

void ember_pair_pack(const int8_t *b, int32_t k, int32_t count, int32_t *out, const ember_batch_matmul_params *p)
{
    if (p->b_k != 1) {
        ember_pair_columns(b, p->b_k, k, count, 2, p->zb, out);
        return;
    }
    for (int32_t n = 0; n < count; n += 2, b += 2 * p->b_n)
        out = ember_pair_rows(b, n + 1 < count ? b + p->b_n : b, k, p->zb, out);
}
