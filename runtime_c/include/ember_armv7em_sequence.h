/* The kernels of ember_armv7em.h that run along a sequence: selective scans and causal convolutions. */
#ifndef EMBER_ARMV7EM_SEQUENCE_H
#define EMBER_ARMV7EM_SEQUENCE_H

#include "ember_armv7em.h"

#ifdef __cplusplus
extern "C" {
#endif

/* q.selective_scan with constants packed for the cores of kernels/armv7em/ember_scan_asm.h. */
typedef struct {
    const uint32_t *softplus; /* [1024], the logarithm in bytes of decay << 20 | Delta */
    const uint16_t *decay;    /* doubled */
    const uint32_t *log_a;    /* [channels, states] in bytes of decay, or [heads] where all states share one */
    const int32_t *scales;    /* [channels][4]: mu, skip, my, mo; 4-byte aligned */
    const int16_t *gate;      /* [256]; NULL: no gate */
    int32_t batches;
    int32_t steps;
    int32_t channels;
    int32_t heads;
    int32_t states;
    int32_t groups;
    int32_t alike; /* 1: all states of a head share a decay */
    int32_t zx;
} ember_scan_params;

/* As ember_selective_scan_s8 and ember_selective_scan_s8_s16, every channel having a head of its own and decays of its
 * own; scratch 1300 + 4 * states bytes, 4-byte aligned. */
void ember_selective_scan_s8_armv7em(const int8_t *x, const int16_t *v, const int16_t *b, const int16_t *c,
                                     const int8_t *z, const int16_t *initial, int8_t *y, int16_t *state, void *scratch,
                                     const ember_scan_params *p);
void ember_selective_scan_s8_s16_armv7em(const int8_t *x, const int16_t *v, const int16_t *b, const int16_t *c,
                                         const int8_t *z, const int16_t *initial, int16_t *y, int16_t *state,
                                         void *scratch, const ember_scan_params *p);

/* The same for any heads. */
void ember_selective_scan_heads_s8_armv7em(const int8_t *x, const int16_t *v, const int16_t *b, const int16_t *c,
                                           const int8_t *z, const int16_t *initial, int8_t *y, int16_t *state,
                                           void *scratch, const ember_scan_params *p);
void ember_selective_scan_heads_s8_s16_armv7em(const int8_t *x, const int16_t *v, const int16_t *b, const int16_t *c,
                                               const int8_t *z, const int16_t *initial, int16_t *y, int16_t *state,
                                               void *scratch, const ember_scan_params *p);

/* Taps of a channel of q.causal_conv in pairs of int16, the older one on top, and its scales. */
typedef struct {
    uint32_t w01; /* 0 for taps that there are not */
    uint32_t w23;
    int32_t bias;
    int32_t m;
} ember_conv_scales;

/* q.causal_conv of at most four taps, its shift in taps and bias. */
typedef struct {
    const ember_conv_scales *scales; /* [channels] */
    const int8_t *table;             /* [curves][2048], the last entries repeated; NULL: none */
    const uint8_t *curve;            /* [channels], the curve of each; NULL: one for all */
    int32_t batches;
    int32_t rows;
    int32_t channels;
    int32_t taps;
    int32_t zx;
    int32_t zero_point;
} ember_conv_window_params;

/* As ember_causal_conv_s8. */
void ember_causal_conv_s8_armv7em(const int8_t *x, const int8_t *initial, int8_t *y, int8_t *tail,
                                  const ember_conv_window_params *p);

/* q.causal_conv of any number of taps. */
typedef struct {
    const int8_t *w; /* [channels][taps padded in front to fours], of each four 0 2 1 3; 4-byte aligned */
    const int32_t *bias;
    const int32_t *m;
    const int8_t *table;  /* [curves][levels]; NULL: none */
    const uint8_t *curve; /* [channels], the curve of each; NULL: one for all */
    int32_t levels;
    int32_t batches;
    int32_t rows;
    int32_t channels;
    int32_t taps;
    int32_t padded_taps;
    int32_t zx;
    int32_t shift;
    int32_t zero_point;
} ember_conv_many_params;

/* As ember_causal_conv_s8; scratch 2 * (padded_taps + rows + 8) bytes, 2-byte aligned. */
void ember_causal_conv_many_s8_armv7em(const int8_t *x, const int8_t *initial, int8_t *y, int8_t *tail, void *scratch,
                                       const ember_conv_many_params *p);

#ifdef __cplusplus
}
#endif
#endif
