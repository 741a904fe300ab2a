/* Four channels of a window at a time: their sums, products with weights and maxima stay in registers.
 *
 * Private to the portable kernels. x and w point at the first of the four channels, of which `used` (1 .. 4) are wanted;
 * the others repeat the last one, so that a tail costs no loop of its own and nothing outside x and w is read. An element
 * of x has `bytes` (1 or 2) bytes: a constant where these are inlined.
 */
#ifndef EMBER_WINDOW_FOUR_H
#define EMBER_WINDOW_FOUR_H

#include "ember_window_range.h"

static inline int32_t ember_window_load(const void *x, int bytes, int32_t at)
{
    return bytes == 1 ? ((const int8_t *)x)[at] : ((const int16_t *)x)[at];
}

/* q.depthwise's sum of output channel c where each channel of x has several filters. */
static inline int32_t ember_window_filter(const void *x, int bytes, const ember_window_range *r, int32_t c,
                                          const ember_depthwise_params *p)
{
    const ember_window *w = &p->window;
    const int32_t n = w->y_channels;
    int32_t sum = p->bias[c];
    for (int32_t ky = r->first_row; ky < r->last_row; ky++)
        for (int32_t kx = r->first_column; kx < r->last_column; kx++)
            sum += (ember_window_load(x, bytes, ember_window_element(r, ky, kx, w) + c / (n / w->channels)) - p->zx) *
                   p->w[(ky * w->kernel_width + kx) * n + c];
    return sum;
}

/* acc[i] += sum over the window inside x of (x[at + i] - zx) * w[k + i]; y_channels = channels */
static inline void ember_window_products(const void *x, int bytes, const int8_t *w, const ember_window_range *r,
                                         int32_t used, int32_t zx, int32_t acc[4], const ember_window *g)
{
    const int32_t i1 = ember_min(1, used - 1), i2 = ember_min(2, used - 1), i3 = used - 1;
    const int32_t n = g->channels, step = bytes * g->dilation_width * n;
    int32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
    for (int32_t ky = r->first_row; ky < r->last_row; ky++) {
        const uint8_t *u = (const uint8_t *)x + bytes * ember_window_element(r, ky, r->first_column, g);
        const int8_t *v = w + (ky * g->kernel_width + r->first_column) * n;
        for (int32_t kx = r->first_column; kx < r->last_column; kx++, u += step, v += n) {
            a0 += (ember_window_load(u, bytes, 0) - zx) * v[0];
            a1 += (ember_window_load(u, bytes, i1) - zx) * v[i1];
            a2 += (ember_window_load(u, bytes, i2) - zx) * v[i2];
            a3 += (ember_window_load(u, bytes, i3) - zx) * v[i3];
        }
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
}

/* acc[i] += sum over the window inside x of x[at + i] */
static inline void ember_window_sums(const void *x, int bytes, const ember_window_range *r, int32_t used,
                                     int32_t acc[4], const ember_window *g)
{
    const int32_t i1 = ember_min(1, used - 1), i2 = ember_min(2, used - 1), i3 = used - 1;
    const int32_t step = bytes * g->dilation_width * g->channels;
    int32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
    for (int32_t ky = r->first_row; ky < r->last_row; ky++) {
        const uint8_t *u = (const uint8_t *)x + bytes * ember_window_element(r, ky, r->first_column, g);
        for (int32_t kx = r->first_column; kx < r->last_column; kx++, u += step) {
            a0 += ember_window_load(u, bytes, 0);
            a1 += ember_window_load(u, bytes, i1);
            a2 += ember_window_load(u, bytes, i2);
            a3 += ember_window_load(u, bytes, i3);
        }
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
}

/* most[i] = max over the window inside x of x[at + i] */
static inline void ember_window_most(const void *x, int bytes, const ember_window_range *r, int32_t used,
                                     int32_t most[4], const ember_window *g)
{
    const int32_t i1 = ember_min(1, used - 1), i2 = ember_min(2, used - 1), i3 = used - 1;
    const int32_t step = bytes * g->dilation_width * g->channels;
    int32_t a0 = bytes == 1 ? INT8_MIN : INT16_MIN, a1 = a0, a2 = a0, a3 = a0;
    for (int32_t ky = r->first_row; ky < r->last_row; ky++) {
        const uint8_t *u = (const uint8_t *)x + bytes * ember_window_element(r, ky, r->first_column, g);
        for (int32_t kx = r->first_column; kx < r->last_column; kx++, u += step) {
            a0 = ember_max(a0, ember_window_load(u, bytes, 0));
            a1 = ember_max(a1, ember_window_load(u, bytes, i1));
            a2 = ember_max(a2, ember_window_load(u, bytes, i2));
            a3 = ember_max(a3, ember_window_load(u, bytes, i3));
        }
    }
    most[0] = a0;
    most[1] = a1;
    most[2] = a2;
    most[3] = a3;
}

#endif
