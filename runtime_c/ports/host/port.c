/* The host as a board: standard output, the process's exit, no profile. */
#include "ember_port.h"

#include <stdio.h>
#include <stdlib.h>

void ember_port_puts(const char *text)
{
    fputs(text, stdout);
}

void ember_port_exit(int status)
{
    exit(status);
}

void ember_region_begin(unsigned region)
{
    (void)region;
}

void ember_region_end(void)
{
}

uint32_t ember_port_stack_used(void)
{
    return 0;
}
