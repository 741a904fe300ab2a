/* q.selective_scan, int16 y, a step size a head, or one decay for all states: ember_scan_run.h.
 *
 * Measured on Cortex-M4, two heads of 64 channels, 64 states that share a decay: 6.40 a state and step.
 */
#include "ember_scan_run.h"

void ember_selective_scan_heads_s8_s16_armv7em(const int8_t *x, const int16_t *v, const int16_t *b, const int16_t *c,
                                               const int8_t *z, const int16_t *initial, int16_t *y, int16_t *state,
                                               void *scratch, const ember_scan_params *p)
{
    const ember_scan_core_of core =
        p->alike ? EMBER_SCAN_CORE_OF(ember_scan_core_alike) : EMBER_SCAN_CORE_OF(ember_scan_core_anywhere);
    const ember_scan_step step = {x, v, z, y, state, 1, ember_scan_front_heads, core};
    ember_scan_start(state, initial, p);
    ember_scan_run(step, ember_scan_core_alike, b, c, scratch, p);
}
