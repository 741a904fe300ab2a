/* q.causal_conv on Helium: the rows that each step reads, steps in ember_mve_conv.h.
 *
 * Measured for 32 steps of 128 channels and four taps and a table: 1.42 a MAC.
 */
#include <stddef.h>
#include <string.h>

#include "ember_mve_conv.h"

/* A row of x, or of those before it where row is negative; any row where taps are 0. */
static const int8_t *row_at(const int8_t *x, const int8_t *before, int32_t row, int32_t stride,
                            const ember_mve_conv_params *p)
{
    const int32_t at = row + p->taps - 1;
    if (row >= 0)
        return x + row * p->channels;
    return at < 0 ? x : before + at * stride;
}

/* The last taps - 1 rows of both; they move towards lower addresses, so tail may be before, or NULL where nobody goes on
 * from here. Returns where those of the next batch go. */
static int8_t *keep(const int8_t *x, const int8_t *before, int8_t *tail, int32_t stride, const ember_mve_conv_params *p)
{
    for (int32_t k = 0; tail != NULL && k < p->taps - 1; k++, tail += p->channels)
        memmove(tail, row_at(x, before, p->rows - p->taps + 1 + k, stride, p), (size_t)p->channels);
    return tail;
}

void ember_causal_conv_s8_mve(const int8_t *x, const int8_t *initial, int8_t *y, int8_t *tail, void *scratch,
                              const ember_mve_conv_params *p)
{
    const int8_t **rows = scratch;
    int8_t *none = (int8_t *)(void *)(rows + p->padded_taps);
    const int32_t stride = initial == NULL ? 0 : p->channels;
    const int8_t *before = initial == NULL ? none : initial;
    if (initial == NULL)
        memset(none, p->zx, (size_t)p->channels);
    for (int32_t batch = 0; batch < p->batches; batch++) {
        const int8_t *from = x;
        for (int32_t t = 0; t < p->rows; t++, y += p->channels) {
            for (int32_t k = 0; k < p->padded_taps; k++)
                rows[k] = row_at(from, before, t - p->padded_taps + 1 + k, stride, p);
            if (p->padded_taps == EMBER_MVE_CONV_FEW && p->shift == 0)
                ember_mve_conv_few(rows, y, p);
            else
                ember_mve_conv_many(rows, y, 0, p);
        }
        tail = keep(x, before, tail, stride, p);
        x += p->rows * p->channels;
        before += (p->taps - 1) * stride;
    }
}
