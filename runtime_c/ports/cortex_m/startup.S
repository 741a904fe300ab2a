/* Reset of a Cortex-M: paints the stack, switches coprocessors on, lays .data and .bss, calls main.
 *
 * Register addresses: Armv8-M Architecture Reference Manual (DDI 0553), System Control Block.
 */
    .syntax unified
    .thumb

    .section .vectors, "a"
    .word __stack_top
    .word ember_reset
    .rept 14
    .word ember_fault
    .endr

    .text
    .global ember_reset
    .type ember_reset, %function
    .thumb_func
ember_reset:
    ldr r0, =__stack_low
    ldr r1, =__stack_top
    ldr r2, =0xA5A5A5A5
1:  str r2, [r0], #4
    cmp r0, r1
    blo 1b

    /* CPACR: full access to CP10 and CP11, FPU and Helium; reads as zero where there is neither. */
    ldr r0, =0xE000ED88
    ldr r1, [r0]
    orr r1, r1, #(0xF << 20)
    str r1, [r0]
#if defined(__ARM_FEATURE_MVE)
    /* CCR.LOB: without it the low-overhead loops run, but each round as an ordinary branch. */
    ldr r0, =0xE000ED14
    ldr r1, [r0]
    orr r1, r1, #(1 << 19)
    str r1, [r0]
#endif
    dsb
    isb

    ldr r0, =__data_load
    ldr r1, =__data_start
    ldr r2, =__data_end
    b 3f
2:  ldr r3, [r0], #4
    str r3, [r1], #4
3:  cmp r1, r2
    blo 2b

    ldr r1, =__bss_start
    ldr r2, =__bss_end
    movs r3, #0
    b 5f
4:  str r3, [r1], #4
5:  cmp r1, r2
    blo 4b

    bl main
    bl ember_port_exit
    .ltorg
    .size ember_reset, . - ember_reset

/* A fault ends the test program: nothing on the board could recover it. */
    .type ember_fault, %function
    .thumb_func
ember_fault:
    ldr r0, =fault_text
    bl ember_port_puts
    movs r0, #97
    bl ember_port_exit
    .ltorg
    .size ember_fault, . - ember_fault

    .section .rodata
fault_text:
    .asciz "ember: fault\n"
