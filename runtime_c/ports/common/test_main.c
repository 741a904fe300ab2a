/* The test program: runs every golden vector and prints one line each, then a summary.
 *
 *   ember: vector=0 mismatches=0 status=0
 *   ember: done vectors=4 mismatches=0 errors=0 stack=1184
 *
 * Exit status 0 when all vectors are bit-exact, else 1. No stdio: it shall fit and run on any board.
 */
#include "ember_golden.h"
#include "ember_port.h"

/* " key=value", digits written from the right; 10 digits hold any uint32_t. */
static void put_field(const char *key, uint32_t value)
{
    char digits[11];
    char *p = &digits[10];
    *p = '\0';
    do {
        *--p = (char)('0' + (char)(value % 10u));
        value /= 10u;
    } while (value != 0u);
    ember_port_puts(" ");
    ember_port_puts(key);
    ember_port_puts("=");
    ember_port_puts(p);
}

int main(void)
{
    uint32_t mismatches = 0;
    uint32_t errors = 0;
    for (unsigned v = 0; v < ember_golden_vectors; v++) {
        ember_region_begin(v + 1u < EMBER_REGION_MAX ? v + 1u : EMBER_REGION_MAX);
        const int result = ember_golden_run(v);
        ember_region_end();
        const uint32_t differ = result > 0 ? (uint32_t)result : 0u;
        const uint32_t status = result < 0 ? 0u - (uint32_t)result : 0u;
        mismatches += differ;
        errors += status != 0u;
        ember_port_puts("ember:");
        put_field("vector", v);
        put_field("mismatches", differ);
        put_field("status", status);
        ember_port_puts("\n");
    }
    ember_port_puts("ember: done");
    put_field("vectors", ember_golden_vectors);
    put_field("mismatches", mismatches);
    put_field("errors", errors);
    put_field("stack", ember_port_stack_used());
    ember_port_puts("\n");
    return mismatches == 0u && errors == 0u ? 0 : 1;
}
