/* The core of q.selective_scan for at most 19 states, their rows at multiples of 4 bytes: ember_scan_asm.h. */
#include "ember_scan_asm.h"
#include "ember_scan_plain.h"

#if EMBER_HAS_ARMV7EM

EMBER_SCAN_KERNEL void ember_scan_core(ember_scan_record *records __attribute__((unused)),
                                       int16_t *h __attribute__((unused)),
                                       const uint32_t *log_a __attribute__((unused)),
                                       const ember_scan_route *route __attribute__((unused)))
{
    __asm__ volatile(EMBER_SCAN_CORE(
        ember_scan_core, "", EMBER_SCAN_FOUR(EMBER_SCAN_KEPT_FOUR(EMBER_SCAN_LOAD_ALIGNED), EMBER_SCAN_STORE_ALIGNED),
        EMBER_SCAN_TWO(EMBER_SCAN_KEPT_TWO), EMBER_SCAN_ONE(EMBER_SCAN_KEPT_ONE)));
}

#else

void ember_scan_core(ember_scan_record *records, int16_t *h, const uint32_t *log_a, const ember_scan_route *route)
{
    ember_scan_plain(records, h, log_a, route);
}

#endif
