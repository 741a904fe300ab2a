/* q.selective_scan, int8 y, a step size a channel: ember_scan_run.h.
 *
 * Measured on Cortex-M4, 128 channels of 16 states: 8.17 a state and step.
 */
#include "ember_scan_run.h"

void ember_selective_scan_s8_armv7em(const int8_t *x, const int16_t *v, const int16_t *b, const int16_t *c,
                                     const int8_t *z, const int16_t *initial, int8_t *y, int16_t *state, void *scratch,
                                     const ember_scan_params *p)
{
    const int few = p->states <= EMBER_SCAN_FEW && p->states % 2 == 0 && (uintptr_t)state % 4 == 0;
    const ember_scan_core_of core =
        few ? EMBER_SCAN_CORE_OF(ember_scan_core) : EMBER_SCAN_CORE_OF(ember_scan_core_anywhere);
    const ember_scan_step step = {x, v, z, y, state, 0, ember_scan_front, core};
    ember_scan_start(state, initial, p);
    ember_scan_run(step, ember_scan_core, b, c, scratch, p);
}
