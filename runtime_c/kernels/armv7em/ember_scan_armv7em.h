/* q.selective_scan on Armv7E-M: what its three passes share.
 *
 * A step takes a chunk of channels at a time. The front pass makes a record of each channel: its decays, twice its input
 * u, and the skip as first value of the sum. The core runs the recurrence over the records. The back pass turns sums
 * into results. Decays are stored doubled and u is doubled, so that SMLAW's >> 16 is the op's >> 15.
 *
 * Private to the Armv7E-M kernels.
 */
#ifndef EMBER_SCAN_ARMV7EM_H
#define EMBER_SCAN_ARMV7EM_H

#include "ember_armv7em_sequence.h"
#include "ember_math.h"

/* A channel in one step, as the core's LDM loads it: the last word goes to PC. */
typedef struct {
    union {
        const uint8_t *table; /* log_a counts bytes from here */
        int32_t alike;        /* one decay for all states */
    } decay;
    int32_t u;
    int32_t acc;
    const int16_t *bc; /* ember_scan_pack */
    uint32_t entry;    /* where in the core its states begin */
} ember_scan_record;

enum {
    EMBER_SCAN_RECORDS = 1300,                                                  /* bytes */
    EMBER_SCAN_CHUNK = EMBER_SCAN_RECORDS / (int)sizeof(ember_scan_record) - 1, /* channels; one record ends them */
    EMBER_SCAN_LEVELS = 1024,
    EMBER_SCAN_FEW = 19,
    EMBER_SCAN_DELTA_BITS = 20 /* of a softplus entry; above them the logarithm in bytes of the decays */
};

/* The core's constants for a number of states. */
typedef struct {
    const int16_t *last; /* bc where the last pass over the unrolled blocks begins */
    uint32_t body;       /* entry of the blocks before whole passes */
    uint32_t tail;       /* entry of the states % 4 that come first, or body */
    uint32_t entry;      /* of a channel */
    uint32_t leave;      /* of the record behind the last one */
    int32_t states;
    uint32_t reserved[12]; /* what the core pushes: no argument, it counts for the compiler's stack report */
} ember_scan_route;

/* One step of the records before the one whose entry is `leave`: h [.., states], log_a [.., states]. */
typedef void ember_scan_core_fn(ember_scan_record *records, int16_t *h, const uint32_t *log_a,
                                const ember_scan_route *route);

/* The first takes at most EMBER_SCAN_FEW states, with rows of h at multiples of 4 bytes; the last one decay a channel,
 * log_a unused. */
ember_scan_core_fn ember_scan_core;
ember_scan_core_fn ember_scan_core_anywhere;
ember_scan_core_fn ember_scan_core_alike;

#if EMBER_HAS_ARMV7EM
/* Offsets of a core's entries from its start; EMBER_SCAN_CORE lists them. */
extern const uint16_t ember_scan_core_at[];
extern const uint16_t ember_scan_core_anywhere_at[];
extern const uint16_t ember_scan_core_alike_at[];
#endif

/* The front pass over `count` channels whose `scales` are given: x of the first, v of the step. v is a channel's, or a
 * head's. */
typedef void ember_scan_front_fn(ember_scan_record *records, int32_t count, const int8_t *x, const int16_t *v,
                                 const int32_t *scales, const ember_scan_params *p);
ember_scan_front_fn ember_scan_front;
ember_scan_front_fn ember_scan_front_heads;

/* States that share a block of bc, [b ..][c ..], where `left` remain: tails come first. */
static inline int32_t ember_scan_block(int32_t left)
{
    return left % 4 == 0 ? 4 : left % 4 == 1 ? 1 : 2;
}

/* SMMULR: (a * m + 2^31) >> 32 */
static inline int32_t ember_scan_scale(int32_t a, int32_t m)
{
#if EMBER_HAS_ARMV7EM
    int32_t scaled;
    __asm__("smmulr %0, %1, %2" : "=r"(scaled) : "r"(a), "r"(m));
    return scaled;
#else
    return ember_high_multiply(a, m, 0);
#endif
}

static inline uint32_t ember_scan_entry(int32_t v, const ember_scan_params *p)
{
    return p->softplus[ember_clamp(v, 0, EMBER_SCAN_LEVELS - 1)];
}

static inline const uint8_t *ember_scan_decays(uint32_t entry, const ember_scan_params *p)
{
    return (const uint8_t *)p->decay + (entry >> EMBER_SCAN_DELTA_BITS);
}

/* Input and skip of a channel whose softplus entry is given. */
static inline void ember_scan_feed(ember_scan_record *record, uint32_t entry, int32_t xx, const int32_t *scales)
{
    const int32_t delta = (int32_t)(entry & ((1u << EMBER_SCAN_DELTA_BITS) - 1u));
    record->u = 2 * ember_clamp_s16(ember_scan_scale(delta * xx, scales[0]));
    record->acc = (int32_t)((uint32_t)scales[1] * (uint32_t)xx);
}

#endif
