/* What a test or benchmark program needs of a board: a console, an exit, region markers, the stack's high water.
 *
 * A port is a few sources under ports/, named by the board's TOML description. The model and its kernels
 * never call these.
 */
#ifndef EMBER_PORT_H
#define EMBER_PORT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Last region that a marker can name; 0 is free for the program's own use. */
#define EMBER_REGION_MAX 63u

/* Writes a string to the console: semihosting, a UART, or standard output. */
void ember_port_puts(const char *text);

/* Ends the program with a status that the developer's machine sees: 0 is good. Does not return. */
void ember_port_exit(int status);

/* Open and close a region of execution, 0 <= region <= EMBER_REGION_MAX; regions do not nest. Each is one
 * architectural no-op that the profiler recognises, so the same image runs on silicon. */
void ember_region_begin(unsigned region);
void ember_region_end(void);

/* Bytes of stack touched since reset, from the paint that start-up code laid; 0 where that is not known. */
uint32_t ember_port_stack_used(void);

#ifdef __cplusplus
}
#endif
#endif
