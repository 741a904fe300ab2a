/* Four channels of a window at a time: their sums, products with weights and maxima stay in registers.
 *
 * Private to the portable kernels. x and w point at the first of the four channels, of which `used` (1 .. 4) are wanted;
 * the others repeat the last one, so that a tail costs no loop of its own and nothing outside x and w is read.
 */
#ifndef EMBER_WINDOW_FOUR_H
#define EMBER_WINDOW_FOUR_H

#include "ember_window_range.h"

/* acc[i] += sum over the window inside x of (x[at + i] - zx) * w[k + i]; y_channels = channels */
static inline void ember_window_products_s8(const int8_t *x, const int8_t *w, const ember_window_range *r, int32_t used,
                                            int32_t zx, int32_t acc[4], const ember_window *g)
{
    const int32_t i1 = ember_min(1, used - 1), i2 = ember_min(2, used - 1), i3 = used - 1;
    const int32_t n = g->channels, step = g->dilation_width * n;
    int32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
    for (int32_t ky = r->first_row; ky < r->last_row; ky++) {
        const int8_t *u = x + ember_window_element(r, ky, r->first_column, g);
        const int8_t *v = w + (ky * g->kernel_width + r->first_column) * n;
        for (int32_t kx = r->first_column; kx < r->last_column; kx++, u += step, v += n) {
            a0 += (u[0] - zx) * v[0];
            a1 += (u[i1] - zx) * v[i1];
            a2 += (u[i2] - zx) * v[i2];
            a3 += (u[i3] - zx) * v[i3];
        }
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
}

/* acc[i] += sum over the window inside x of x[at + i] */
static inline void ember_window_sums_s8(const int8_t *x, const ember_window_range *r, int32_t used, int32_t acc[4],
                                        const ember_window *g)
{
    const int32_t i1 = ember_min(1, used - 1), i2 = ember_min(2, used - 1), i3 = used - 1;
    const int32_t step = g->dilation_width * g->channels;
    int32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
    for (int32_t ky = r->first_row; ky < r->last_row; ky++) {
        const int8_t *u = x + ember_window_element(r, ky, r->first_column, g);
        for (int32_t kx = r->first_column; kx < r->last_column; kx++, u += step) {
            a0 += u[0];
            a1 += u[i1];
            a2 += u[i2];
            a3 += u[i3];
        }
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
}

/* most[i] = max over the window inside x of x[at + i] */
static inline void ember_window_most_s8(const int8_t *x, const ember_window_range *r, int32_t used, int32_t most[4],
                                        const ember_window *g)
{
    const int32_t i1 = ember_min(1, used - 1), i2 = ember_min(2, used - 1), i3 = used - 1;
    const int32_t step = g->dilation_width * g->channels;
    int32_t a0 = INT8_MIN, a1 = a0, a2 = a0, a3 = a0;
    for (int32_t ky = r->first_row; ky < r->last_row; ky++) {
        const int8_t *u = x + ember_window_element(r, ky, r->first_column, g);
        for (int32_t kx = r->first_column; kx < r->last_column; kx++, u += step) {
            a0 = u[0] > a0 ? u[0] : a0;
            a1 = u[i1] > a1 ? u[i1] : a1;
            a2 = u[i2] > a2 ? u[i2] : a2;
            a3 = u[i3] > a3 ? u[i3] : a3;
        }
    }
    most[0] = a0;
    most[1] = a1;
    most[2] = a2;
    most[3] = a3;
}

/* acc[i] += sum over the window inside x of (x[at + i] - zx) * w[k + i]; y_channels = channels */
static inline void ember_window_products_s16(const int16_t *x, const int8_t *w, const ember_window_range *r,
                                             int32_t used, int32_t zx, int32_t acc[4], const ember_window *g)
{
    const int32_t i1 = ember_min(1, used - 1), i2 = ember_min(2, used - 1), i3 = used - 1;
    const int32_t n = g->channels, step = g->dilation_width * n;
    int32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
    for (int32_t ky = r->first_row; ky < r->last_row; ky++) {
        const int16_t *u = x + ember_window_element(r, ky, r->first_column, g);
        const int8_t *v = w + (ky * g->kernel_width + r->first_column) * n;
        for (int32_t kx = r->first_column; kx < r->last_column; kx++, u += step, v += n) {
            a0 += (u[0] - zx) * v[0];
            a1 += (u[i1] - zx) * v[i1];
            a2 += (u[i2] - zx) * v[i2];
            a3 += (u[i3] - zx) * v[i3];
        }
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
}

/* acc[i] += sum over the window inside x of x[at + i] */
static inline void ember_window_sums_s16(const int16_t *x, const ember_window_range *r, int32_t used, int32_t acc[4],
                                         const ember_window *g)
{
    const int32_t i1 = ember_min(1, used - 1), i2 = ember_min(2, used - 1), i3 = used - 1;
    const int32_t step = g->dilation_width * g->channels;
    int32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
    for (int32_t ky = r->first_row; ky < r->last_row; ky++) {
        const int16_t *u = x + ember_window_element(r, ky, r->first_column, g);
        for (int32_t kx = r->first_column; kx < r->last_column; kx++, u += step) {
            a0 += u[0];
            a1 += u[i1];
            a2 += u[i2];
            a3 += u[i3];
        }
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
}

/* most[i] = max over the window inside x of x[at + i] */
static inline void ember_window_most_s16(const int16_t *x, const ember_window_range *r, int32_t used, int32_t most[4],
                                         const ember_window *g)
{
    const int32_t i1 = ember_min(1, used - 1), i2 = ember_min(2, used - 1), i3 = used - 1;
    const int32_t step = g->dilation_width * g->channels;
    int32_t a0 = INT16_MIN, a1 = a0, a2 = a0, a3 = a0;
    for (int32_t ky = r->first_row; ky < r->last_row; ky++) {
        const int16_t *u = x + ember_window_element(r, ky, r->first_column, g);
        for (int32_t kx = r->first_column; kx < r->last_column; kx++, u += step) {
            a0 = u[0] > a0 ? u[0] : a0;
            a1 = u[i1] > a1 ? u[i1] : a1;
            a2 = u[i2] > a2 ? u[i2] : a2;
            a3 = u[i3] > a3 ? u[i3] : a3;
        }
    }
    most[0] = a0;
    most[1] = a1;
    most[2] = a2;
    most[3] = a3;
}

#endif
