/* Console and exit through semihosting: the debugger's or emulator's own channel, no peripheral needed.
 *
 * Calls and numbers: "Semihosting for AArch32 and AArch64" (Arm, ABI for the Arm architecture), which
 * "RISC-V Semihosting" adopts with a trap sequence of its own.
 */
#include "ember_port.h"

enum { SYS_WRITE0 = 0x04, SYS_EXIT_EXTENDED = 0x20, ADP_STOPPED_APPLICATION_EXIT = 0x20026 };

static void semihosting_call(uintptr_t operation, uintptr_t argument)
{
#if defined(__riscv)
    register uintptr_t a0 __asm__("a0") = operation;
    register uintptr_t a1 __asm__("a1") = argument;
    /* The two no-ops around EBREAK tell a debugger that this is a call; they must not be compressed and
     * must not cross a page. */
    __asm__ volatile(".balign 16\n.option push\n.option norvc\n"
                     "slli x0, x0, 0x1f\nebreak\nsrai x0, x0, 7\n.option pop"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
#else
    register uintptr_t r0 __asm__("r0") = operation;
    register uintptr_t r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
#endif
}

void ember_port_puts(const char *text)
{
    semihosting_call(SYS_WRITE0, (uintptr_t)text);
}

void ember_port_exit(int status)
{
    /* The plain SYS_EXIT carries no status on 32-bit processors. */
    const uintptr_t block[2] = {ADP_STOPPED_APPLICATION_EXIT, (uintptr_t)status};
    semihosting_call(SYS_EXIT_EXTENDED, (uintptr_t)block);
    for (;;) {
    }
}
