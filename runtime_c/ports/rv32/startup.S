/* Reset of an RV32 core in machine mode: paints the stack, lays .data and .bss, calls main. */
    .option arch, +zicsr

    .section .vectors, "ax"
    .global ember_reset
    .type ember_reset, @function
ember_reset:
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la sp, __stack_top
    la t0, __stack_low
    li t1, 0xA5A5A5A5
1:  sw t1, 0(t0)
    addi t0, t0, 4
    bltu t0, sp, 1b
    la t0, ember_fault
    csrw mtvec, t0

    la t0, __data_load
    la t1, __data_start
    la t2, __data_end
    j 3f
2:  lw t3, 0(t0)
    sw t3, 0(t1)
    addi t0, t0, 4
    addi t1, t1, 4
3:  bltu t1, t2, 2b

    la t1, __bss_start
    la t2, __bss_end
    j 5f
4:  sw zero, 0(t1)
    addi t1, t1, 4
5:  bltu t1, t2, 4b

    call main
    call ember_port_exit
    .size ember_reset, . - ember_reset

/* A trap ends the test program: nothing on the board could recover it. mtvec wants four-byte alignment. */
    .balign 4
    .type ember_fault, @function
ember_fault:
    la a0, fault_text
    call ember_port_puts
    li a0, 97
    call ember_port_exit
    .size ember_fault, . - ember_fault

    .section .rodata
fault_text:
    .asciz "ember: fault\n"
