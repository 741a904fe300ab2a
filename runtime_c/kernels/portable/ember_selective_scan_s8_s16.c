/* q.selective_scan, int16 y: any values. No scratch. */
#include "ember_scan_step.h"

void ember_selective_scan_s8_s16(const int8_t *x, const int16_t *v, const int16_t *b, const int16_t *c, const int8_t *z,
                                 const int16_t *initial, int16_t *y, int16_t *state, void *scratch,
                                 const ember_selective_scan_params *p)
{
    const int32_t width = p->channels / p->heads, row = p->groups * p->states;
    (void)scratch;
    ember_scan_start(initial, state, p);
    for (int32_t batch = 0; batch < p->batches; batch++) {
        for (int32_t t = 0; t < p->steps; t++) {
            int16_t *h = state;
            for (int32_t d = 0; d < p->channels; d++) {
                const int32_t k = d / width;
                const ember_scan_head head = ember_scan_head_of(k, v[k], b, c, p);
                int32_t sum = ember_scan_channel(x[d] - p->zx, d, &head, h, p);
                if (z != NULL)
                    sum = ember_scan_gate(sum, z[d], d, p);
                y[d] = ember_clamp_s16(sum);
                h += p->states;
            }
            x += p->channels;
            y += p->channels;
            z = z == NULL ? NULL : z + p->channels;
            v += p->heads;
            b += row;
            c += row;
        }
        state += p->channels * p->states;
    }
}
