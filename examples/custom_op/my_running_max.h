/* The kernel of the custom op and its parameters. */
#ifndef MY_RUNNING_MAX_H
#define MY_RUNNING_MAX_H

#include <stdint.h>

typedef struct {
    int32_t steps;
    int32_t channels;
} my_running_max_params;

void my_running_max_s8(const int8_t *x, int8_t *y, const my_running_max_params *p);

#endif
