/* What the q.conv kernels of all instruction sets share: windows laid out as rows, a tile of them at a time.
 *
 * A copy costs about a byte a cycle and each byte is read by every output channel of the product that follows, so
 * that plain C is fast enough here. Where the only left-over would be one window, the tile before it is one shorter:
 * some q.matmul kernels take two rows at least.
 */
#ifndef EMBER_CONV_TILE_H
#define EMBER_CONV_TILE_H

#include <string.h>

#include "ember_math.h"
#include "ember_window.h"

typedef struct {
    uint8_t *patches; /* [rows, k] */
    uint8_t *out;     /* [rows, group_outputs]: inside y, or behind the patches where groups are interleaved */
    int32_t rows;
    int32_t at; /* the first window of the tile, of all batches */
} ember_conv_tile;

/* `count` elements of `size` bytes. */
static inline void ember_conv_fill(uint8_t *to, int32_t count, int32_t value, int32_t size)
{
    const int16_t both = (int16_t)value;
    if (size == 1)
        memset(to, value & 255, (size_t)count);
    else
        for (int32_t i = 0; i < count; i++)
            memcpy(to + 2 * i, &both, 2);
}

/* The window whose first element is at (top, left) of image x, as a row of the patches; returns the row's end. */
static inline uint8_t *ember_conv_patch(const uint8_t *x, uint8_t *to, int32_t top, int32_t left, int32_t size,
                                        const ember_conv_params *p)
{
    const ember_window *w = &p->window;
    const int32_t bytes = p->group_channels * size;
    const int whole =
        w->dilation_width == 1 && p->group_channels == w->channels && left >= 0 && left + w->kernel_width <= w->width;
    const int32_t columns = whole ? 1 : w->kernel_width;
    const int32_t run = whole ? w->kernel_width : 1;
    for (int32_t ky = 0; ky < w->kernel_height; ky++) {
        const int32_t row = top + ky * w->dilation_height;
        for (int32_t kx = 0; kx < columns; kx++, to += run * bytes) {
            const int32_t column = left + kx * w->dilation_width;
            if (row >= 0 && row < w->height && column >= 0 && column < w->width)
                memcpy(to, x + ((row * w->width + column) * w->channels + p->first_channel) * size,
                       (size_t)(run * bytes));
            else
                ember_conv_fill(to, run * p->group_channels, p->fill, size);
        }
    }
    return to;
}

static inline void ember_conv_start(ember_conv_tile *tile, void *scratch, const ember_conv_params *p)
{
    tile->patches = (uint8_t *)scratch + p->patches;
    tile->rows = 0;
    tile->at = 0;
}

/* Lays out the next tile; 0 when there is none. Elements of x have x_size bytes, those of y y_size. */
static inline int ember_conv_next(ember_conv_tile *tile, const void *x, void *y, int32_t x_size, int32_t y_size,
                                  const ember_conv_params *p)
{
    const ember_window *w = &p->window;
    const int32_t image = w->y_height * w->y_width;
    const int32_t left = w->batches * image - tile->at - tile->rows;
    uint8_t *to = tile->patches;
    tile->at += tile->rows;
    tile->rows = ember_min(p->tile, left) - (left == p->tile + 1);
    for (int32_t at = tile->at; at < tile->at + tile->rows; at++) {
        const uint8_t *source = (const uint8_t *)x + at / image * w->height * w->width * w->channels * x_size;
        const int32_t top = at % image / w->y_width * w->stride_height - w->pad_top;
        to = ember_conv_patch(source, to, top, at % w->y_width * w->stride_width - w->pad_left, x_size, p);
    }
    tile->out = (uint8_t *)y + tile->at * w->y_channels * y_size;
    if (p->group_outputs != w->y_channels) {
        const int32_t k = w->kernel_height * w->kernel_width * p->group_channels;
        tile->out = tile->patches + (p->tile * k * x_size + 3) / 4 * 4;
    }
    return tile->rows;
}

/* Puts the products of a group between those of the others. */
static inline void ember_conv_store(const ember_conv_tile *tile, void *y, int32_t y_size, const ember_conv_params *p)
{
    const int32_t bytes = p->group_outputs * y_size, all = p->window.y_channels * y_size;
    if (bytes == all)
        return;
    for (int32_t r = 0; r < tile->rows; r++)
        memcpy((uint8_t *)y + (tile->at + r) * all + p->first_output * y_size, tile->out + r * bytes, (size_t)bytes);
}

#endif
