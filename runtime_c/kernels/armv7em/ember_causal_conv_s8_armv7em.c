/* q.causal_conv with at most four taps on Armv7E-M: a channel at a time, four steps in ember_conv_asm.h.
 *
 * Measured on Cortex-M4 for 100 steps of 128 channels and four taps: 2.35 a MAC.
 */
#include "ember_conv_armv7em.h"

enum { STEPS = 4 };

/* A sample of the rows before the first; 0 before those, where the taps are 0. */
static int32_t sample(const int8_t *initial, int32_t row, const ember_conv_window_params *p)
{
    if (row + p->taps - 1 < 0)
        return 0;
    return initial == NULL ? p->zx : initial[(row + p->taps - 1) * p->channels];
}

/* The window of a channel before the first step. */
static void before(ember_conv_channel *channel, const int8_t *initial, const ember_conv_window_params *p)
{
    const int32_t middle = sample(initial, -2, p);
    channel->older = ember_conv_both((uint32_t)sample(initial, -3, p), middle);
    channel->newer = ember_conv_both((uint32_t)middle, sample(initial, -1, p));
}

/* The steps before a multiple of four, one at least. */
static void first(ember_conv_channel *channel, int32_t count, const ember_conv_window_params *p)
{
    const ember_conv_scales scales = channel->scales;
    const int32_t row = channel->row;
    const int8_t *x = channel->x, *table = channel->table;
    int8_t *y = channel->y;
    uint32_t older = channel->older, newer = channel->newer;
    do {
        const uint32_t next = ember_conv_both(newer, *x);
        *y = ember_conv_result(older, next, &scales, p->zero_point, table);
        older = newer;
        newer = next;
        x += row;
        y += row;
    } while (--count != 0);
    channel->x = x;
    channel->y = y;
    channel->older = older;
    channel->newer = newer;
}

/* All channels of a batch. */
static void run(const int8_t *x, const int8_t *initial, int8_t *y, const ember_conv_window_params *p)
{
    const int32_t odd = p->rows & (STEPS - 1);
    ember_conv_channel channel = {
        x, y, x + p->rows * p->channels, 3 * p->channels, p->channels, 0, 0, *p->scales, p->zero_point, p->table, {0},
    };
    uint32_t older, newer;
    before(&channel, initial, p);
    older = channel.older;
    newer = channel.newer;
    for (int32_t c = 0; c < p->channels; c++, channel.end++) {
        channel.x = x + c;
        channel.y = y + c;
        channel.scales = p->scales[c];
        if (p->curve != NULL)
            channel.table = p->table + p->curve[c] * EMBER_CONV_LEVELS;
        if (initial != NULL) {
            before(&channel, initial++, p);
        } else {
            channel.older = older;
            channel.newer = newer;
        }
        if (odd != 0)
            first(&channel, odd, p);
        if (p->rows >= STEPS && p->table == NULL)
            ember_conv_window(&channel);
        else if (p->rows >= STEPS)
            ember_conv_window_table(&channel);
    }
}

void ember_causal_conv_s8_armv7em(const int8_t *x, const int8_t *initial, int8_t *y, int8_t *tail,
                                  const ember_conv_window_params *p)
{
    const int32_t kept = (p->taps - 1) * p->channels;
    for (int32_t batch = 0; batch < p->batches; batch++) {
        run(x, initial, y, p);
        tail = ember_conv_keep(x, initial, tail, p->rows, p->channels, p->taps, p->zx);
        x += p->rows * p->channels;
        y += p->rows * p->channels;
        initial = initial == NULL ? NULL : initial + kept;
    }
}
