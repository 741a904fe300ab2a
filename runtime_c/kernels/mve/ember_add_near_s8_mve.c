/* q.add, int8 x, y and z, of scales near each other: 16-bit lanes, sixteen elements at a time.
 *
 * Idea: VQDMLAH adds floor(2 a m / 2^16) to its destination. With a = -2^(15 - s1) x, by VMULLB/T which widens as well,
 * and m = -m1 that is floor(x m1 / 2^s1); both signs turned, 2^7 too is an int8 factor. The sum starts at c.
 * Preconditions: 8 <= s1, s2 <= 15; m1, m2 > -2^15; c, c and the first term, and the sum fit 16 bits; elements of a
 * row side by side in x and y.
 * Per element: (2 loads, 4 widenings, 2 copies of c, 4 multiplications, 2 shifts, 2 narrowings, store) / 16 = 1.06;
 * measured at 128 x 128: 1.19.
 */
#include "ember_mve.h"

#if EMBER_HAS_MVE

#include "ember_mve_rows.h"

typedef struct {
    int8x16_t lift_x;
    int8x16_t lift_y;
    int16x8_t c;
    int16_t m1;
    int16_t m2;
    int32_t shift; /* negative: to the right */
} near_sum;

EMBER_MVE_INLINE int8x16_t sum16(int8x16_t x, int8x16_t y, const void *params)
{
    const near_sum *sum = params;
    int16x8_t even = vqdmlahq_n_s16(sum->c, vmullbq_int_s8(x, sum->lift_x), sum->m1);
    int16x8_t odd = vqdmlahq_n_s16(sum->c, vmulltq_int_s8(x, sum->lift_x), sum->m1);
    even = vqdmlahq_n_s16(even, vmullbq_int_s8(y, sum->lift_y), sum->m2);
    odd = vqdmlahq_n_s16(odd, vmulltq_int_s8(y, sum->lift_y), sum->m2);
    even = vshlq_r_s16(even, sum->shift);
    return vqmovntq_s16(vqmovnbq_s16(vreinterpretq_s8_s16(even), even), vshlq_r_s16(odd, sum->shift));
}

void ember_add_near_s8_mve(const int8_t *x, const int8_t *y, int8_t *z, const ember_add_params *restrict p)
{
    const near_sum sum = {vdupq_n_s8((int8_t)(-1 * (1 << (15 - p->s1)))),
                          vdupq_n_s8((int8_t)(-1 * (1 << (15 - p->s2)))),
                          vdupq_n_s16((int16_t)p->c),
                          (int16_t)-p->m1,
                          (int16_t)-p->m2,
                          -p->frac};
    ember_mve_rows16(x, y, z, &p->shape, sum16, &sum);
}

#else

void ember_add_near_s8_mve(const int8_t *x, const int8_t *y, int8_t *z, const ember_add_params *restrict p)
{
    ember_add_s8(x, y, z, p);
}

#endif
