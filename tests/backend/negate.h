/* A custom kernel as a user would bring it. */
#ifndef NEGATE_H
#define NEGATE_H

#include <stdint.h>

typedef struct {
    int32_t count;
    int32_t lowest;
} negate_params;

/* y = -x, -lowest saturated */
void negate_s8(const int8_t *x, int8_t *y, const negate_params *p);

#endif
