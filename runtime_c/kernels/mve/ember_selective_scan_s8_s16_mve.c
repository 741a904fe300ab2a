/* q.selective_scan, int16 y, on Helium: ember_mve_scan.h.
 *
 * Measured, 128 channels of 16 states: 2.00 a state and step.
 */
#include "ember_mve_scan.h"

void ember_selective_scan_s8_s16_mve(const int8_t *x, const int16_t *v, const int16_t *b, const int16_t *c,
                                     const int8_t *z, const int16_t *initial, int16_t *y, int16_t *state, void *scratch,
                                     const ember_mve_scan_params *p)
{
    ember_mve_scan_run(x, v, b, c, z, initial, (uint8_t *)y, 1, state, scratch, p);
}
