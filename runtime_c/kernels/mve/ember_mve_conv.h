/* q.causal_conv on Helium: eight channels of one step in 16-bit lanes.
 *
 * Idea: a product of two int8 and the sum of two such products fit 16 bits, so taps go by pairs: VMUL, VMUL, VADD for
 * eight channels, then VMOVLB/T widen. Biases and multipliers come in the order that widening leaves, even channels
 * before odd ones. Channels are the inner loop, so one step costs no more than a step of many.
 * A block of eight channels of the stream: int8 [taps][8], bias int32 [8], m int32 [8], and with a table uint16 [8],
 * where the curve of each channel starts; taps padded in front by 0 to a multiple of 2, and to 4 at least.
 * Preconditions: no two taps of a pair are -128; sums that are saturated to 16 bits may take the zero point after.
 * Predicted: 37 (39 with a table) for eight channels of four taps = 1.16 a MAC; measured, with the rows of a step, 1.35; 1.6 for 32 taps.
 *
 * Private to the Helium kernels.
 */
#ifndef EMBER_MVE_CONV_H
#define EMBER_MVE_CONV_H

#include <stddef.h>

#include "ember_math.h"
#include "ember_mve.h"

enum { EMBER_MVE_CONV_LANES = 8, EMBER_MVE_CONV_FEW = 4, EMBER_MVE_CONV_SCALES = 64 /* bytes of bias and m */ };

/* Bytes of a block of the stream. */
static inline int32_t ember_mve_conv_block(const ember_mve_conv_params *p)
{
    const int32_t curves = p->table == NULL ? 0 : 2 * EMBER_MVE_CONV_LANES;
    return EMBER_MVE_CONV_LANES * p->padded_taps + EMBER_MVE_CONV_SCALES + curves;
}

/* y [channels] of one step from the rows of its taps, oldest first. */
void ember_mve_conv_few(const int8_t *const *rows, int8_t *y, const ember_mve_conv_params *p);
void ember_mve_conv_many(const int8_t *const *rows, int8_t *y, int32_t channel, const ember_mve_conv_params *p);

#endif
