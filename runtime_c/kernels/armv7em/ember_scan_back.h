/* The back pass of q.selective_scan: sums to results, 10.5 instructions a channel with a gate.
 *
 * Private to the Armv7E-M kernels.
 */
#ifndef EMBER_SCAN_BACK_H
#define EMBER_SCAN_BACK_H

#include <stddef.h>

#include "ember_scan_armv7em.h"

/* A core, and the offsets of its entries. */
typedef struct {
    ember_scan_core_fn *run;
    const uint16_t *at;
} ember_scan_core_of;

#if EMBER_HAS_ARMV7EM
#define EMBER_SCAN_CORE_OF(core) ((ember_scan_core_of){core, core##_at})
#else
#define EMBER_SCAN_CORE_OF(core) ((ember_scan_core_of){core, NULL})
#endif

/* The operands of one step, where it writes, and how it works. */
typedef struct {
    const int8_t *x;
    const int16_t *v;
    const int8_t *z; /* NULL: no gate */
    void *y;
    int16_t *h;
    int32_t wide; /* y is int16 */
    ember_scan_front_fn *front;
    ember_scan_core_of core;
} ember_scan_step;

/* r4 sum, y, gated y; r5 my, r6 mo; r8 z, then its gate. */
#define EMBER_SCAN_GATED(bits, store)                                                                                  \
    "ldr r4, [%[sums]], #20\n\t"                                                                                       \
    "ldrd r5, r6, [%[scales]], #16\n\t"                                                                                \
    "ldrsb r8, [%[z]], #1\n\t"                                                                                         \
    "smmulr r4, r4, r5\n\t"                                                                                            \
    "ldrsh r8, [%[gate], r8, lsl #1]\n\t"                                                                              \
    "ssat r4, #16, r4\n\t"                                                                                             \
    "mul r4, r4, r8\n\t"                                                                                               \
    "smmulr r4, r4, r6\n\t"                                                                                            \
    "ssat r4, #" bits ", r4\n\t" store
#define EMBER_SCAN_GATED_S8 EMBER_SCAN_GATED("8", "strb r4, [%[y]], #1\n\t")
#define EMBER_SCAN_GATED_S16 EMBER_SCAN_GATED("16", "strh r4, [%[y]], #2\n\t")

#define EMBER_SCAN_GATE(one)                                                                                           \
    for (; count >= 8; count -= 8)                                                                                     \
        EMBER_SCAN_GATE_SOME(one one one one one one one one);                                                         \
    for (; count > 0; count--)                                                                                         \
    EMBER_SCAN_GATE_SOME(one)
#define EMBER_SCAN_GATE_SOME(text)                                                                                     \
    __asm__ volatile(text                                                                                              \
                     : [sums] "+r"(sums), [z] "+r"(z), [y] "+r"(y), [scales] "+r"(scales)                              \
                     : [gate] "r"(gate)                                                                                \
                     : "r4", "r5", "r6", "r8", "memory")

/* The results of `count` records. */
static inline void ember_scan_back(const ember_scan_record *records, int32_t count, const ember_scan_step *step,
                                   const int32_t *scales, const int16_t *gate)
{
    const int8_t *z = step->z;
    int8_t *y = step->y;
    scales += 2;
#if EMBER_HAS_ARMV7EM
    if (z != NULL) {
        const int32_t *sums = &records->acc;
        gate += 128;
        if (step->wide) {
            EMBER_SCAN_GATE(EMBER_SCAN_GATED_S16);
        } else {
            EMBER_SCAN_GATE(EMBER_SCAN_GATED_S8);
        }
        return;
    }
#endif
    for (int32_t i = 0; i < count; i++, scales += 4) {
        int32_t v = ember_scan_scale(records[i].acc, scales[0]);
        if (z != NULL)
            v = ember_scan_scale(ember_clamp_s16(v) * gate[z[i] + 128], scales[1]);
        if (step->wide)
            ((int16_t *)(void *)y)[i] = ember_clamp_s16(v);
        else
            y[i] = ember_clamp_s8(v);
    }
}

/* To the operands of the next `count` channels, those of a step following those of the one before; v stays. */
static inline void ember_scan_advance(ember_scan_step *step, int32_t count)
{
    step->x += count;
    if (step->z != NULL)
        step->z += count;
    step->y = (int8_t *)step->y + (step->wide ? 2 * count : count);
}

#endif
