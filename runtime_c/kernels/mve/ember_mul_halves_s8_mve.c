/* q.mul, int8 x, y and z, whose multiplier has two factors: 16-bit lanes, sixteen elements at a time.
 *
 * Idea: (x - zx)(y - zy) m / 2^32 = ((x m1 - zx m1)(y m2 - zy m2) / 2^15) / 2^frac. VMULLB/T widens and multiplies by
 * m1 or m2 at once; VQDMLASH multiplies the two, drops 15 bits and adds the zero point and the rounding half. What it
 * drops can't change the result: floors in turn are the floor of the whole.
 * Registers: one vector each of m1 and m2; c1, c2, c and frac in core registers, which vector instructions read.
 * Preconditions: 1 <= m1, m2 <= 127; |x m1 + c1|, |y m2 + c2| < 2^15; c fits 16 bits; 1 <= frac <= 7; elements of a row
 * side by side in x and y.
 * Per element: (2 loads, 4 multiplications that widen, 4 sums, 2 products, 2 shifts, 2 narrowings, store) / 16 = 1.06;
 * measured at 128 x 128: 1.19.
 */
#include "ember_mve.h"

#if EMBER_HAS_MVE

#include "ember_mve_rows.h"

typedef struct {
    int8x16_t m1;
    int8x16_t m2;
    int16_t c1;
    int16_t c2;
    int16_t c;
    int32_t shift; /* negative: to the right */
} halves;

EMBER_MVE_INLINE int8x16_t product16(int8x16_t x, int8x16_t y, const void *params)
{
    const halves *by = params;
    int16x8_t even = vaddq_n_s16(vmullbq_int_s8(x, by->m1), by->c1);
    int16x8_t odd = vaddq_n_s16(vmulltq_int_s8(x, by->m1), by->c1);
    even = vqdmlashq_n_s16(even, vaddq_n_s16(vmullbq_int_s8(y, by->m2), by->c2), by->c);
    odd = vqdmlashq_n_s16(odd, vaddq_n_s16(vmulltq_int_s8(y, by->m2), by->c2), by->c);
    even = vshlq_r_s16(even, by->shift);
    return vqmovntq_s16(vqmovnbq_s16(vreinterpretq_s8_s16(even), even), vshlq_r_s16(odd, by->shift));
}

void ember_mul_halves_s8_mve(const int8_t *x, const int8_t *y, int8_t *z, const ember_mve_halves_params *restrict p)
{
    const halves by = {
        vdupq_n_s8((int8_t)p->m1), vdupq_n_s8((int8_t)p->m2), (int16_t)p->c1, (int16_t)p->c2, (int16_t)p->c, -p->frac};
    ember_mve_rows16(x, y, z, &p->shape, product16, &by);
}

#else

#include "ember_broadcast.h"
#include "ember_math.h"

void ember_mul_halves_s8_mve(const int8_t *x, const int8_t *y, int8_t *z, const ember_mve_halves_params *restrict p)
{
    const int32_t n = p->shape.dims[EMBER_DIMS - 1];
    int32_t index[EMBER_DIMS] = {0};
    do {
        const int8_t *xr = x + ember_offset(index, p->shape.xs);
        const int8_t *yr = y + ember_offset(index, p->shape.ys);
        for (int32_t i = 0; i < n; i++) {
            const int32_t product = (xr[i] * p->m1 + p->c1) * (yr[i] * p->m2 + p->c2);
            z[i] = ember_clamp_s8(((product >> 15) + p->c) >> p->frac);
        }
        z += n;
    } while (ember_next_row(index, p->shape.dims));
}

#endif
