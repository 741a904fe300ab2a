/* q.causal_conv on RV32IM: a channel at a time, its samples side by side, four steps for each tap that is loaded.
 *
 * Idea: four steps by four taps are 16 MACs of 4 taps and 7 samples, 3 of which the turn before loaded. Taps come by
 * channel, padded in front to fours.
 * Registers: 4 sums, 7 samples, a tap, pointers to both and the end of the taps.
 * Preconditions: sums that fit 32 bits when they are shifted once more, which rounds by the product's high word.
 * Per 16 MACs: 8 loads, 16 multiplications, 16 sums, 3 samples moved, 3 for the loop = 2.9 a MAC, and 16 for their start
 * and end; an output 11, a sample 5 for collecting it, a channel 100: 8.6 a MAC for 32 steps of four taps, 3.6 for 64 of
 * 32 taps. Measured 8.9 with a table, and 3.8.
 */
#include "ember_conv_tail.h"
#include "ember_rv32.h"
#include "ember_rv32_store.h"

enum { STEPS = 4 };

/* The samples of a channel, [padded_taps - 1 + rows], 0 where there are none. */
static void collect(int8_t *column, const int8_t *x, const int8_t *initial, const ember_rv32_conv_params *p)
{
    const int32_t channels = p->channels;
    for (int32_t i = p->padded_taps - p->taps; i > 0; i--)
        *column++ = 0;
    for (int32_t i = 0; i < p->taps - 1; i++)
        *column++ = (int8_t)(initial == NULL ? p->zx : initial[i * channels]);
    for (int32_t i = p->rows; i > 0; i--, x += channels)
        *column++ = *x;
}

/* The sums of four steps, the first one from samples `at`. */
EMBER_RV32_INLINE void sums_of(int32_t sums[STEPS], const int8_t *at, const int8_t *w, int32_t bias, int32_t taps)
{
    const int8_t *const end = w + taps;
    int32_t s0 = bias, s1 = bias, s2 = bias, s3 = bias;
    int32_t x0 = at[0], x1 = at[1], x2 = at[2];
    do {
        const int32_t x3 = at[3], x4 = at[4], x5 = at[5], x6 = at[6];
        int32_t tap = w[0];
        s0 += x0 * tap;
        s1 += x1 * tap;
        s2 += x2 * tap;
        s3 += x3 * tap;
        tap = w[1];
        s0 += x1 * tap;
        s1 += x2 * tap;
        s2 += x3 * tap;
        s3 += x4 * tap;
        tap = w[2];
        s0 += x2 * tap;
        s1 += x3 * tap;
        s2 += x4 * tap;
        s3 += x5 * tap;
        tap = w[3];
        s0 += x3 * tap;
        s1 += x4 * tap;
        s2 += x5 * tap;
        s3 += x6 * tap;
        x0 = x4;
        x1 = x5;
        x2 = x6;
        w += 4;
        at += 4;
    } while (w != end);
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

/* The outputs of a channel from its samples. */
EMBER_RV32_INLINE void channel_of(int8_t *y, const int8_t *column, const int8_t *w, const int32_t *bias_and_m,
                                  const int8_t *table, const ember_rv32_conv_params *p)
{
    const int32_t channels = p->channels, shift = p->shift, offset = p->offset, lo = p->lo, range = p->hi - p->lo;
    const int32_t bias = bias_and_m[0], m = bias_and_m[1], taps = p->padded_taps;
    int32_t sums[STEPS];
    int32_t rows = p->rows;
    for (; rows >= STEPS; rows -= STEPS, column += STEPS) {
        sums_of(sums, column, w, bias, taps);
        EMBER_RV32_UNROLLED
        for (int32_t i = 0; i < STEPS; i++, y += channels)
            put(y, 0, scaled(sums[i], m, shift, offset, range), table, lo);
    }
    if (rows > 0)
        sums_of(sums, column, w, bias, taps);
    for (int32_t i = 0; i < rows; i++, y += channels)
        put(y, 0, scaled(sums[i], m, shift, offset, range), table, lo);
}

void ember_causal_conv_s8_rv32(const int8_t *x, const int8_t *initial, int8_t *y, int8_t *tail, void *scratch,
                               const ember_rv32_conv_params *p)
{
    const int32_t kept = (p->taps - 1) * p->channels;
    int8_t *const column = scratch;
    memset(column + p->padded_taps - 1 + p->rows, 0, STEPS - 1);
    for (int32_t batch = 0; batch < p->batches; batch++) {
        for (int32_t c = 0; c < p->channels; c++) {
            const int8_t *table = p->curve == NULL ? p->table : p->table + p->curve[c] * (p->hi + 1);
            collect(column, x + c, initial == NULL ? NULL : initial + c, p);
            if (table == NULL)
                channel_of(y + c, column, p->w + c * p->padded_taps, p->scales + 2 * c, NULL, p);
            else
                channel_of(y + c, column, p->w + c * p->padded_taps, p->scales + 2 * c, table, p);
        }
        tail = ember_conv_keep(x, initial, tail, p->rows, p->channels, p->taps, p->zx);
        x += p->rows * p->channels;
        y += p->rows * p->channels;
        initial = initial == NULL ? NULL : initial + kept;
    }
}
