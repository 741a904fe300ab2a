/* The front pass of q.selective_scan where the channels of a head share a step size, and perhaps a decay. */
#include <string.h>

#include "ember_scan_armv7em.h"

void ember_scan_front_heads(ember_scan_record *records, int32_t count, const int8_t *x, const int16_t *v,
                            const int32_t *scales, const ember_scan_params *p)
{
    const int32_t width = p->channels / p->heads;
    const int32_t first = (int32_t)(scales - p->scales) / 4;
    int32_t head = first / width;
    int32_t left = width - first % width;
    for (; count > 0; head++, left = width) {
        const uint32_t entry = ember_scan_entry(v[head], p);
        const uint8_t *table = ember_scan_decays(entry, p);
        uint16_t decay = 0;
        if (p->alike)
            memcpy(&decay, table + p->log_a[head], sizeof decay);
        for (; left > 0 && count > 0; left--, count--, records++, scales += 4) {
            if (p->alike)
                records->decay.alike = decay;
            else
                records->decay.table = table;
            ember_scan_feed(records, entry, *x++ - p->zx, scales);
        }
    }
}
