/* q.pool_mean, int8 x, int8 y: any values; the compiler proved that the shifted sums fit 32 bits. */
#include "ember_window_four.h"

void ember_pool_mean_s8(const int8_t *x, int8_t *y, const ember_pool_mean_params *restrict p)
{
    const ember_window *w = &p->window;
    ember_window_range r;
    for (int32_t at = 0; ember_window_at(&r, at, w); at++) {
        const int32_t count = ember_window_count(&r), start = -count * p->zx;
        for (int32_t c = 0; c < w->channels; c += 4) {
            const int32_t used = ember_min(4, w->channels - c);
            int32_t sums[4] = {start, start, start, start};
            ember_window_sums(x + c, 1, &r, used, sums, w);
            for (int32_t i = 0; i < used; i++)
                *y++ = ember_clamp_s8(
                    ember_high_multiply(ember_shift_left(sums[i], p->shift), p->m[count], p->zero_point));
        }
    }
}
