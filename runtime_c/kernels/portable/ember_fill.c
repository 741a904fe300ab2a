/* Fills y with a value: the border of q.pad, before the copy. y is aligned to its element. */
#include "ember_movement.h"

void ember_fill(void *y, const ember_fill_params *restrict p)
{
    for (int32_t i = 0; i < p->count; i++) {
        if (p->size == 1)
            ((uint8_t *)y)[i] = (uint8_t)p->value;
        else if (p->size == 2)
            ((uint16_t *)y)[i] = (uint16_t)p->value;
        else
            ((uint32_t *)y)[i] = (uint32_t)p->value;
    }
}
