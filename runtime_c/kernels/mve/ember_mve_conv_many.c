/* One step of q.causal_conv of any number of taps, from one channel on: ember_mve_conv.h. */
#include "ember_mve_conv.h"

#if EMBER_HAS_MVE

#include "ember_mve_rows.h"

/* Eight channels, or those that `inside` allows. */
EMBER_MVE_INLINE int16x8_t block(const int8_t *const *rows, int32_t channel, const int8_t *stream, mve_pred16_t inside,
                                 const ember_mve_conv_params *p)
{
    const int8_t *taps = stream;
    const int32_t *scales = (const int32_t *)(const void *)(stream + EMBER_MVE_CONV_LANES * p->padded_taps);
    int32x4_t even = vldrwq_s32(scales);
    int32x4_t odd = vldrwq_s32(scales + 4);
    for (int32_t k = p->padded_taps; k > 0; k -= 2, rows += 2, taps += 2 * EMBER_MVE_CONV_LANES) {
        const int16x8_t older = vmulq_s16(vldrbq_z_s16(rows[0] + channel, inside), vldrbq_s16(taps));
        const int16x8_t newer = vmulq_s16(vldrbq_z_s16(rows[1] + channel, inside), vldrbq_s16(taps + 8));
        const int16x8_t both = vaddq_s16(older, newer);
        even = vaddq_s32(even, vmovlbq_s16(both));
        odd = vaddq_s32(odd, vmovltq_s16(both));
    }
    even = vrmulhq_s32(vshlq_r_s32(even, p->shift), vldrwq_s32(scales + 8));
    odd = vrmulhq_s32(vshlq_r_s32(odd, p->shift), vldrwq_s32(scales + 12));
    return vqaddq_n_s16(ember_mve_join(even, odd), (int16_t)p->zero_point);
}

void ember_mve_conv_many(const int8_t *const *rows, int8_t *y, int32_t channel, const ember_mve_conv_params *p)
{
    const int32_t size = ember_mve_conv_block(p);
    const int8_t *stream = p->stream + channel / EMBER_MVE_CONV_LANES * size;
    for (; channel < p->channels; channel += EMBER_MVE_CONV_LANES, stream += size) {
        const mve_pred16_t inside = vctp16q((uint32_t)(p->channels - channel));
        int16x8_t v = block(rows, channel, stream, inside, p);
        v = vminq_s16(vmaxq_s16(v, vdupq_n_s16((int16_t)p->lo)), vdupq_n_s16((int16_t)p->hi));
        if (p->table != NULL) {
            const int16x8_t at =
                vaddq_s16(v, vldrhq_s16((const int16_t *)(const void *)(stream + size) - EMBER_MVE_CONV_LANES));
            v = vldrbq_gather_offset_s16(p->table, vreinterpretq_u16_s16(at));
        }
        vstrbq_p_s16(y + channel, v, inside);
    }
}

#else

void ember_mve_conv_many(const int8_t *const *rows, int8_t *y, int32_t channel, const ember_mve_conv_params *p)
{
    const int32_t size = ember_mve_conv_block(p);
    for (; channel < p->channels; channel++) {
        const int8_t *stream = p->stream + channel / EMBER_MVE_CONV_LANES * size;
        const int32_t lane = channel % EMBER_MVE_CONV_LANES;
        const int32_t *scales = (const int32_t *)(const void *)(stream + EMBER_MVE_CONV_LANES * p->padded_taps);
        const int32_t *scale = scales + lane % 2 * 4 + lane / 2;
        int32_t acc = scale[0];
        for (int32_t k = 0; k < p->padded_taps; k++)
            acc += rows[k][channel] * stream[EMBER_MVE_CONV_LANES * k + lane];
        acc = ember_high_multiply(ember_shift_left(acc, p->shift), scale[8], p->zero_point);
        acc = ember_clamp(acc, p->lo, p->hi);
        const uint16_t *first = (const uint16_t *)(const void *)(stream + size) - EMBER_MVE_CONV_LANES;
        y[channel] = (int8_t)(p->table == NULL ? acc : p->table[first[lane] + acc]);
    }
}

#endif
