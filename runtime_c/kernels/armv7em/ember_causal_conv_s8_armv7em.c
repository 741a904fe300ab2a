/* q.causal_conv with at most four taps on Armv7E-M: a channel at a time, pairs of steps in ember_conv_asm.h. */
#include "ember_conv_armv7em.h"

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

/* The first step of an odd number of them. */
static void first(ember_conv_channel *channel, int32_t end, const ember_conv_window_params *p)
{
    const uint32_t next = ember_conv_both(channel->newer, channel->x[-end]);
    channel->y[-end] = ember_conv_result(channel->older, next, &channel->scales, p->zero_point, p->table);
    channel->older = channel->newer;
    channel->newer = next;
}

/* All channels of a batch. */
static void run(const int8_t *x, const int8_t *initial, int8_t *y, const ember_conv_window_params *p)
{
    const int32_t end = p->rows * p->channels;
    const int32_t odd = (p->rows & 1) * p->channels;
    ember_conv_channel channel = {
        x + end,       y + end,  odd - end, odd - end + p->channels, 2 * p->channels, 0, 0, *p->scales,
        p->zero_point, p->table, {0},
    };
    uint32_t older, newer;
    before(&channel, initial, p);
    older = channel.older;
    newer = channel.newer;
    for (int32_t c = 0; c < p->channels; c++, channel.x++, channel.y++) {
        channel.scales = p->scales[c];
        if (initial != NULL) {
            before(&channel, initial++, p);
        } else {
            channel.older = older;
            channel.newer = newer;
        }
        if (odd)
            first(&channel, end, p);
        if (p->rows > 1 && p->table == NULL)
            ember_conv_window(&channel);
        else if (p->rows > 1)
            ember_conv_window_table(&channel);
    }
}

void ember_causal_conv_s8_armv7em(const int8_t *x, const int8_t *initial, int8_t *y, int8_t *tail,
                                  const ember_conv_window_params *p)
{
    const int32_t kept = (p->taps - 1) * p->channels;
    for (int32_t batch = 0; batch < p->batches; batch++) {
        run(x, initial, y, p);
        ember_conv_keep(x, initial, tail, p->rows, p->channels, p->taps, p->zx);
        x += p->rows * p->channels;
        y += p->rows * p->channels;
        tail += kept;
        initial = initial == NULL ? NULL : initial + kept;
    }
}
