/* The core of q.selective_scan for any number of states that share a decay: ember_scan_asm.h. */
#include "ember_scan_asm.h"
#include "ember_scan_plain.h"

#if EMBER_HAS_ARMV7EM

EMBER_SCAN_KERNEL void ember_scan_core_alike(ember_scan_record *records __attribute__((unused)),
                                             int16_t *h __attribute__((unused)),
                                             const uint32_t *log_a __attribute__((unused)),
                                             const ember_scan_route *route __attribute__((unused)))
{
    __asm__ volatile(EMBER_SCAN_CORE(ember_scan_core_alike, EMBER_SCAN_MORE,
                                     EMBER_SCAN_FOUR(EMBER_SCAN_ALIKE_FOUR(EMBER_SCAN_LOAD), EMBER_SCAN_STORE),
                                     EMBER_SCAN_TWO(EMBER_SCAN_ALIKE_TWO), EMBER_SCAN_ONE(EMBER_SCAN_ALIKE_ONE)));
}

#else

void ember_scan_core_alike(ember_scan_record *records, int16_t *h, const uint32_t *log_a, const ember_scan_route *route)
{
    (void)log_a;
    ember_scan_plain(records, h, NULL, route);
}

#endif
