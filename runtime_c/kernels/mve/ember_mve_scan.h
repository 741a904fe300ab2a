/* q.selective_scan on Helium: what its three passes share.
 *
 * A step takes a chunk of channels at a time. The front pass, four channels to a vector, makes a record of each: its
 * decays, its input u, the skip as first value of the sum. The core, eight states to a vector, runs the recurrence over
 * the records. The back pass, four channels again, turns sums into results.
 *
 * Private to the Helium kernels.
 */
#ifndef EMBER_MVE_SCAN_H
#define EMBER_MVE_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "ember_mve.h"

enum {
    EMBER_MVE_SCAN_CHUNK = 64, /* channels */
    EMBER_MVE_SCAN_STATES = 16 /* whose b and c stay in registers */
};

/* A channel in one step, as the core's LDM reads it. */
typedef struct {
    uint32_t decay; /* address of the first reachable decay, log_a counts from here; or the decay of all states */
    int32_t u;      /* in 16 bits, the others are any */
    int32_t acc;
    int32_t unused;
} ember_mve_record;

/* A step of `count` records and of at most 16 states: h [count, stride], its first n used; b, c [n]; log_a [count, n
 * padded to 8], NULL where all states of a channel share a decay. */
void ember_mve_scan_core(ember_mve_record *records, int32_t count, int16_t *h, int32_t stride, const uint16_t *log_a,
                         const int16_t *b, const int16_t *c, int32_t n);

/* The op; y is int16 if `wide`. */
void ember_mve_scan_run(const int8_t *x, const int16_t *v, const int16_t *b, const int16_t *c, const int8_t *z,
                        const int16_t *initial, uint8_t *y, int wide, int16_t *state, void *scratch,
                        const ember_mve_scan_params *p);

#endif
