/* Region markers of a Cortex-M: ember_region_begin(r) executes HINT #(0xA0 + r), ember_region_end() HINT #0xE0.
 *
 * These hints are unallocated, so every processor executes them as NOP; the profiler looks for their encoding.
 * A hint's number is part of the instruction, hence one 8-byte stub a region and a jump into the row.
 */
    .syntax unified
    .thumb
    .text

    .global ember_region_begin
    .type ember_region_begin, %function
    .thumb_func
ember_region_begin:
    and r0, r0, #63
    ldr r1, =region_stubs + 1
    add r1, r1, r0, lsl #3
    bx r1
    .ltorg
    .size ember_region_begin, . - ember_region_begin

    .balign 4
region_stubs:
    .set region, 0
    .rept 64
    .inst.w 0xF3AF80A0 + region
    bx lr
    nop
    .set region, region + 1
    .endr

    .global ember_region_end
    .type ember_region_end, %function
    .thumb_func
ember_region_end:
    .inst.w 0xF3AF80E0
    bx lr
    .size ember_region_end, . - ember_region_end
