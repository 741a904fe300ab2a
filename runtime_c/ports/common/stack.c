/* High water of the stack: start-up code paints it, here we look how much of the paint is left. */
#include "ember_port.h"

/* Laid by startup.S of each architecture. */
static const uint32_t paint = 0xA5A5A5A5u;

/* From the linker script: lowest word of the stack, and the address behind its highest. */
extern const uint32_t __stack_low[];
extern const uint32_t __stack_top[];

uint32_t ember_port_stack_used(void)
{
    const uint32_t *p = __stack_low;
    while (p < __stack_top && *p == paint) {
        p++;
    }
    return (uint32_t)((uintptr_t)__stack_top - (uintptr_t)p);
}
