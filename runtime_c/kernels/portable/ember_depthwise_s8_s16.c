/* q.depthwise, int8 x, int16 y: any values; the compiler proved that the shifted sums fit 32 bits. */
#include "ember_window_four.h"

void ember_depthwise_s8_s16(const int8_t *x, int16_t *y, const ember_depthwise_params *restrict p)
{
    const ember_window *w = &p->window;
    const int32_t n = w->y_channels, most = n == w->channels ? 4 : 1;
    ember_window_range r;
    for (int32_t at = 0; ember_window_at(&r, at, w); at++) {
        for (int32_t c = 0; c < n; c += most) {
            const int32_t used = ember_min(most, n - c);
            int32_t sums[4] = {0, 0, 0, 0};
            for (int32_t i = 0; i < used; i++)
                sums[i] = most == 1 ? ember_window_filter(x, 1, &r, c, p) : p->bias[c + i];
            if (most == 4)
                ember_window_products(x + c, 1, p->w + c, &r, used, p->zx, sums, w);
            for (int32_t i = 0; i < used; i++)
                *y++ = ember_clamp_s16(
                    ember_high_multiply(ember_shift_left(sums[i], p->shift), p->m[c + i], p->zero_point));
        }
    }
}
