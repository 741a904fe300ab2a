/* What the cores of q.selective_scan compute, in plain C: for processors without the instructions, and to read.
 *
 * Private to the Armv7E-M kernels.
 */
#ifndef EMBER_SCAN_PLAIN_H
#define EMBER_SCAN_PLAIN_H

#include <string.h>

#include "ember_scan_armv7em.h"

/* One state: the new one, and c times that for the sum, which wraps. `decay` and u are doubled. */
static inline void ember_scan_state(ember_scan_record *record, int16_t *h, int32_t decay, int32_t b, int32_t c)
{
    *h = ember_clamp_s16(((decay / 2 * *h) >> 15) + ((record->u / 2 * b) >> 15) + 1);
    record->acc = (int32_t)((uint32_t)record->acc + (uint32_t)(c * *h));
}

/* log_a is NULL where all states of a channel share a decay. */
static inline void ember_scan_plain(ember_scan_record *records, int16_t *h, const uint32_t *log_a,
                                    const ember_scan_route *route)
{
    for (; records->entry != route->leave; records++) {
        const int16_t *bc = records->bc;
        for (int32_t n = 0, block; n < route->states; n += block, bc += 2 * block) {
            block = ember_scan_block(route->states - n);
            for (int32_t i = 0; i < block; i++) {
                uint16_t decay = 0;
                if (log_a != NULL)
                    memcpy(&decay, records->decay.table + *log_a++, sizeof decay);
                ember_scan_state(records, h++, log_a != NULL ? decay : records->decay.alike, bc[i], bc[block + i]);
            }
        }
    }
}

#endif
