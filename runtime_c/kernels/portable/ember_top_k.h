/* q.top_k of elements of 1, 2 or 4 bytes: ``bytes`` is a constant of each kernel, so that one branch is left of each.
 *
 * Private to the portable kernels.
 */
#ifndef EMBER_TOP_K_H
#define EMBER_TOP_K_H

#include "ember_reduce.h"

static inline int32_t ember_element(const void *x, int32_t at, int32_t bytes)
{
    return bytes == 1 ? ((const int8_t *)x)[at] : bytes == 2 ? ((const int16_t *)x)[at] : ((const int32_t *)x)[at];
}

static inline void ember_set_element(void *y, int32_t at, int32_t bytes, int32_t value)
{
    if (bytes == 1)
        ((int8_t *)y)[at] = (int8_t)value;
    else if (bytes == 2)
        ((int16_t *)y)[at] = (int16_t)value;
    else
        ((int32_t *)y)[at] = value;
}

/* Each place is given to the best element that ranks behind the one before: k passes, and no scratch. */
static inline void ember_top_k(const void *x, void *values, int32_t *positions, int32_t bytes,
                               const ember_top_k_params *restrict p)
{
    for (int32_t o = 0; o < p->outer; o++) {
        for (int32_t i = 0; i < p->inner; i++) {
            int32_t before = 0, before_step = -1;
            for (int32_t j = 0; j < p->k; j++) {
                int32_t best = 0, best_step = -1, best_at = 0;
                for (int32_t step = 0; step < p->length; step++) {
                    const int32_t l = p->last ? p->length - 1 - step : step;
                    const int32_t v = ember_element(x, (o * p->length + l) * p->inner + i, bytes);
                    const int32_t key = p->smallest ? ~v : v; /* ~v falls as v rises, and never overflows */
                    const int behind = j == 0 || key < before || (key == before && step > before_step);
                    if (behind && (best_step < 0 || key > best)) {
                        best = key;
                        best_step = step;
                        best_at = l;
                    }
                }
                const int32_t to = (o * p->k + j) * p->inner + i;
                ember_set_element(values, to, bytes, p->smallest ? ~best : best);
                positions[to] = best_at;
                before = best;
                before_step = best_step;
            }
        }
    }
}

#endif
