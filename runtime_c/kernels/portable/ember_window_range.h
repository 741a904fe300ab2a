/* The part of a window that lies inside the image, for kernels whose channels do not mix.
 *
 * Private to the portable kernels.
 */
#ifndef EMBER_WINDOW_RANGE_H
#define EMBER_WINDOW_RANGE_H

#include "ember_math.h"
#include "ember_window.h"

/* Elements first_row .. last_row - 1 by first_column .. last_column - 1 of the window. */
typedef struct {
    int32_t image; /* elements of x before the window's image */
    int32_t top;   /* of element 0, 0; may lie outside */
    int32_t left;
    int32_t first_row;
    int32_t last_row;
    int32_t first_column;
    int32_t last_column;
} ember_window_range;

/* Of `count` elements `step` apart from `start`: the first that is not negative, and the first from `size` on. */
static inline void ember_window_clip(int32_t start, int32_t step, int32_t count, int32_t size, int32_t *first,
                                     int32_t *last)
{
    *first = start < 0 ? ember_min(count, (step - 1 - start) / step) : 0;
    *last = start < size ? ember_min(count, (size - start + step - 1) / step) : 0;
}

/* The window number `at` of all batches; 0 when there is none. */
static inline int ember_window_at(ember_window_range *r, int32_t at, const ember_window *w)
{
    const int32_t windows = w->y_height * w->y_width;
    if (at >= w->batches * windows)
        return 0;
    r->image = at / windows * w->height * w->width * w->channels;
    r->top = at % windows / w->y_width * w->stride_height - w->pad_top;
    r->left = at % w->y_width * w->stride_width - w->pad_left;
    ember_window_clip(r->top, w->dilation_height, w->kernel_height, w->height, &r->first_row, &r->last_row);
    ember_window_clip(r->left, w->dilation_width, w->kernel_width, w->width, &r->first_column, &r->last_column);
    return 1;
}

static inline int32_t ember_window_count(const ember_window_range *r)
{
    const int32_t rows = r->last_row - r->first_row, columns = r->last_column - r->first_column;
    return rows > 0 && columns > 0 ? rows * columns : 0;
}

/* Where channel 0 of element (ky, kx) is in x. */
static inline int32_t ember_window_element(const ember_window_range *r, int32_t ky, int32_t kx, const ember_window *w)
{
    const int32_t row = r->top + ky * w->dilation_height, column = r->left + kx * w->dilation_width;
    return r->image + (row * w->width + column) * w->channels;
}

#endif
