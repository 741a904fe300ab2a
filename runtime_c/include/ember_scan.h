/* q.selective_scan and q.causal_conv: the state space model of Mamba, and the convolution before it. */
#ifndef EMBER_SCAN_H
#define EMBER_SCAN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const uint32_t *softplus; /* [levels], Delta << 12 | logarithm */
    const int16_t *decay;     /* Q15; every sum of two logarithms is an index of it */
    const uint16_t *log_a;    /* [heads, states], or [heads] where log_a_step is 0 */
    const int32_t *mu;        /* [channels], Delta * x to units of the state */
    const int32_t *skip;      /* [channels] */
    const int32_t *my;        /* [channels], the sum to units of y */
    const int16_t *gate;      /* [256]; NULL: no gate */
    const int32_t *mo;        /* [channels]; NULL: no gate */
    int32_t batches;
    int32_t steps;
    int32_t channels;
    int32_t heads; /* divides channels */
    int32_t states;
    int32_t groups; /* of b and c; divides heads */
    int32_t levels;
    int32_t log_a_step; /* 1: a decay for every state; 0: one a head */
    int32_t zx;
} ember_selective_scan_params;

/* y[b, t, d], and state[b, d, n] after the last step. Shapes: x, z, y [batches, steps, channels], v [batches, steps,
 * heads], b, c [batches, steps, groups * states], state, initial [batches, channels, states]. z is NULL without a gate,
 * initial NULL where the state starts at 0. y may be x or z where they have one type, state may be initial. */
void ember_selective_scan_s8(const int8_t *x, const int16_t *v, const int16_t *b, const int16_t *c, const int8_t *z,
                             const int16_t *initial, int8_t *y, int16_t *state, void *scratch,
                             const ember_selective_scan_params *p);
void ember_selective_scan_s8_s16(const int8_t *x, const int16_t *v, const int16_t *b, const int16_t *c, const int8_t *z,
                                 const int16_t *initial, int16_t *y, int16_t *state, void *scratch,
                                 const ember_selective_scan_params *p);

typedef struct {
    const int8_t *w;      /* [taps, channels], the newest row's last */
    const int32_t *bias;  /* [channels], x's zero point folded in */
    const int32_t *m;     /* [channels] */
    const int8_t *table;  /* [curves, levels]; NULL: none */
    const uint8_t *curve; /* [channels], the curve of each; NULL: one for all */
    int32_t levels;
    int32_t batches;
    int32_t rows;
    int32_t channels;
    int32_t taps;
    int32_t zx;
    int32_t shift; /* 0 .. 31 */
    int32_t zero_point;
} ember_causal_conv_params;

/* y [batches, rows, channels] from x of that shape; tail and initial [batches, taps - 1, channels]. initial is NULL
 * where all earlier rows are zx. tail may be initial, or NULL: it is left out. */
void ember_causal_conv_s8(const int8_t *x, const int8_t *initial, int8_t *y, int8_t *tail, void *scratch,
                          const ember_causal_conv_params *p);

#ifdef __cplusplus
}
#endif
#endif
