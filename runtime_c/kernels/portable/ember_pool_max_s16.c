/* q.pool_max, int16: any values. */
#include "ember_window_four.h"

void ember_pool_max_s16(const int16_t *x, int16_t *y, const ember_pool_max_params *restrict p)
{
    const ember_window *w = &p->window;
    ember_window_range r;
    for (int32_t at = 0; ember_window_at(&r, at, w); at++) {
        for (int32_t c = 0; c < w->channels; c += 4) {
            const int32_t used = ember_min(4, w->channels - c);
            int32_t most[4];
            ember_window_most(x + c, 2, &r, used, most, w);
            for (int32_t i = 0; i < used; i++)
                *y++ = (int16_t)most[i];
        }
    }
}
