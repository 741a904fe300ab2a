/* q.add, q.mul and q.requantize. */
#ifndef EMBER_ELEMENTWISE_H
#define EMBER_ELEMENTWISE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EMBER_DIMS 5

/* Two operands broadcast to dims; a stride is 0 along an axis that its operand repeats. Leading dims that are
 * not needed are 1; z is contiguous. */
typedef struct {
    int32_t dims[EMBER_DIMS];
    int32_t xs[EMBER_DIMS];
    int32_t ys[EMBER_DIMS];
} ember_broadcast;

/* z = clamp((((x * m1) >> s1) + ((y * m2) >> s2) + c) >> frac) */
typedef struct {
    ember_broadcast shape;
    int32_t m1; /* |m1|, |m2| <= 2^15 */
    int32_t s1;
    int32_t m2;
    int32_t s2;
    int32_t c;
    int32_t frac;
} ember_add_params;

/* z may be x or y where that operand has z's type and shape. */
void ember_add_s8(const int8_t *x, const int8_t *y, int8_t *z, const ember_add_params *p);
void ember_add_s8_s16(const int8_t *x, const int8_t *y, int16_t *z, const ember_add_params *p);
void ember_add_s16(const int16_t *x, const int16_t *y, int16_t *z, const ember_add_params *p);
void ember_add_s16_s8(const int16_t *x, const int16_t *y, int8_t *z, const ember_add_params *p);
void ember_add_s16s8(const int16_t *x, const int8_t *y, int16_t *z, const ember_add_params *p);
void ember_add_s16s8_s8(const int16_t *x, const int8_t *y, int8_t *z, const ember_add_params *p);

/* z = (x - zx) * (y - zy) * m */
typedef struct {
    ember_broadcast shape;
    int32_t zx;
    int32_t zy;
    int32_t m;
    int32_t shift; /* 0 .. 31 */
    int32_t zero_point;
} ember_mul_params;

/* z may be x or y where that operand has z's type and shape. */
void ember_mul_s8(const int8_t *x, const int8_t *y, int8_t *z, const ember_mul_params *p);
void ember_mul_s8_s16(const int8_t *x, const int8_t *y, int16_t *z, const ember_mul_params *p);
void ember_mul_s16(const int16_t *x, const int16_t *y, int16_t *z, const ember_mul_params *p);
void ember_mul_s16_s8(const int16_t *x, const int16_t *y, int8_t *z, const ember_mul_params *p);
void ember_mul_s16s8(const int16_t *x, const int8_t *y, int16_t *z, const ember_mul_params *p);
void ember_mul_s16s8_s8(const int16_t *x, const int8_t *y, int8_t *z, const ember_mul_params *p);

/* y = clamp((((x * m) >> s) + c) >> frac) */
typedef struct {
    int32_t count;
    int32_t m; /* |m| <= 2^15 */
    int32_t s;
    int32_t c;
    int32_t frac;
} ember_requantize_params;

/* y may be x where they have one type. */
void ember_requantize_s8(const int8_t *x, int8_t *y, const ember_requantize_params *p);
void ember_requantize_s8_s16(const int8_t *x, int16_t *y, const ember_requantize_params *p);
void ember_requantize_s16(const int16_t *x, int16_t *y, const ember_requantize_params *p);
void ember_requantize_s16_s8(const int16_t *x, int8_t *y, const ember_requantize_params *p);

/* q.magnitude: z = sqrt(x * x + y * y) * m * 2^-17 */
typedef struct {
    int32_t count;
    int32_t m; /* >= 0 */
    int32_t zero_point;
} ember_magnitude_params;

/* z may be x or y where it has their type. */
void ember_magnitude_s16(const int16_t *x, const int16_t *y, int16_t *z, const ember_magnitude_params *p);
void ember_magnitude_s16_s8(const int16_t *x, const int16_t *y, int8_t *z, const ember_magnitude_params *p);

#ifdef __cplusplus
}
#endif
#endif
