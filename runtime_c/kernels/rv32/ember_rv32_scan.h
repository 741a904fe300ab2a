/* q.selective_scan on RV32IM: what its passes share. Private to the rv32 kernels. */
#ifndef EMBER_RV32_SCAN_H
#define EMBER_RV32_SCAN_H

#include "ember_rv32.h"

#if defined(__GNUC__)
#define EMBER_RV32_INLINE static inline __attribute__((always_inline))
#define EMBER_RV32_PASS static __attribute__((noinline))
#define EMBER_RV32_RARE(condition) __builtin_expect(condition, 0)
#else
#define EMBER_RV32_INLINE static inline
#define EMBER_RV32_PASS static
#define EMBER_RV32_RARE(condition) (condition)
#endif

/* A channel in one step. */
typedef struct {
    uint32_t decays; /* the first reachable one, in bytes; with one decay for all states that one */
    int32_t u;       /* << 16 */
    int32_t acc;
} ember_rv32_record;

/* Saturated to 16 bits, which is rare: one addition and one branch otherwise. */
EMBER_RV32_INLINE int32_t ember_rv32_sat16(int32_t v)
{
    if (EMBER_RV32_RARE((uint32_t)(v + 32768) >= 65536u))
        v = (v >> 31) ^ INT16_MAX;
    return v;
}

/* The recurrence of `count` records: h, log_a [count, states]; bc [states][2 b, c]. */
void ember_rv32_scan_core(ember_rv32_record *records, int32_t count, int16_t *h, const uint16_t *log_a,
                          const int32_t *bc, const ember_rv32_scan_params *p);

/* The op; y is int16 if `wide`. */
void ember_rv32_scan(const int8_t *x, const int16_t *v, const int16_t *b, const int16_t *c, const int8_t *z,
                     const int16_t *initial, void *y, int wide, int16_t *state, void *scratch,
                     const ember_rv32_scan_params *p);

#endif
