/* q.softmax: three passes a row, sixteen elements at a time; y may be x.
 *
 * largest - x is an exact uint8; widened by VMOVLB/T it is the offset of a 16-bit gather, and two steps of narrowing
 * put even and odd elements back in order. (e * r + 2^(sh-1)) >> sh is VMULH.U16 and a rounding VRSHL by sh - 16:
 * both floors together are one, since sh > 16.
 * Preconditions: table[0] >= 512, so that the sum has at most 22 leading zeros and sh is at least 17.
 * Per element: 2 / 16 + 9 / 16 + 15 / 16 = 1.7, and 70 a row; measured at 128 x 128: 2.34.
 */
#include "ember_mve.h"

#if EMBER_HAS_MVE

#include "ember_mve_rows.h"

typedef struct {
    uint16x8_t even;
    uint16x8_t odd;
} halves;

/* table[largest - x] of n elements, 0 behind them. */
EMBER_MVE_INLINE halves weights(int8x16_t x, int8x16_t largest, int32_t n, const uint16_t *table)
{
    const uint8x16_t behind = vreinterpretq_u8_s8(vsubq_s8(largest, x));
    halves e;
    if (n >= 16) {
        e.even = vldrhq_gather_shifted_offset_u16(table, vmovlbq_u8(behind));
        e.odd = vldrhq_gather_shifted_offset_u16(table, vmovltq_u8(behind));
    } else {
        const mve_pred16_t even = vctp16q((uint32_t)((n + 1) >> 1));
        const mve_pred16_t odd = vctp16q((uint32_t)(n >> 1));
        e.even = vldrhq_gather_shifted_offset_z_u16(table, vmovlbq_u8(behind), even);
        e.odd = vldrhq_gather_shifted_offset_z_u16(table, vmovltq_u8(behind), odd);
    }
    return e;
}

EMBER_MVE_INLINE int8x16_t outputs(halves e, uint16x8_t inverse, int32_t shift)
{
    const uint16x8_t even = vrshlq_n_u16(vmulhq_u16(e.even, inverse), shift);
    const uint16x8_t odd = vrshlq_n_u16(vmulhq_u16(e.odd, inverse), shift);
    const uint8x16_t y = vqmovntq_u16(vqmovnbq_u16(vreinterpretq_u8_u16(even), even), odd);
    return vreinterpretq_s8_u8(veorq_u8(y, vdupq_n_u8(128)));
}

static int8_t largest_of(const int8_t *x, int32_t n)
{
    int8_t largest = INT8_MIN;
    for (; n >= 16; n -= 16, x += 16)
        largest = vmaxvq_s8(largest, vldrbq_s8(x));
    if (n > 0) {
        const mve_pred16_t inside = vctp8q((uint32_t)n);
        largest = vmaxvq_p_s8(largest, vldrbq_z_s8(x, inside), inside);
    }
    return largest;
}

static uint32_t sum_of(const int8_t *x, int8x16_t largest, int32_t n, const uint16_t *table)
{
    uint32_t sum = 0;
    halves e;
    for (; n >= 16; n -= 16, x += 16) {
        e = weights(vldrbq_s8(x), largest, 16, table);
        sum = vaddvaq_u16(vaddvaq_u16(sum, e.even), e.odd);
    }
    if (n > 0) {
        e = weights(vldrbq_z_s8(x, vctp8q((uint32_t)n)), largest, n, table);
        sum = vaddvaq_u16(vaddvaq_u16(sum, e.even), e.odd);
    }
    return sum;
}

void ember_softmax_s8_mve(const int8_t *x, int8_t *y, const ember_softmax_params *restrict p)
{
    const uint16_t *table = p->table;
    for (int32_t r = 0; r < p->rows; r++) {
        const int8x16_t largest = vdupq_n_s8(largest_of(x, p->n));
        const uint32_t sum = sum_of(x, largest, p->n, table);
        const int32_t c = ember_clz32(sum);
        const uint16x8_t inverse = vdupq_n_u16((uint16_t)(0x7FFFFFFFu / ((sum << c) >> 16)));
        const int32_t shift = 16 - (39 - c);
        int32_t n = p->n;
        for (; n >= 16; n -= 16, x += 16, y += 16)
            vstrbq_s8(y, outputs(weights(vldrbq_s8(x), largest, 16, table), inverse, shift));
        if (n > 0) {
            const mve_pred16_t inside = vctp8q((uint32_t)n);
            const halves e = weights(vldrbq_z_s8(x, inside), largest, n, table);
            vstrbq_p_s8(y, outputs(e, inverse, shift), inside);
            x += n;
            y += n;
        }
    }
}

#else

void ember_softmax_s8_mve(const int8_t *x, int8_t *y, const ember_softmax_params *restrict p)
{
    ember_softmax_s8(x, y, p);
}

#endif
