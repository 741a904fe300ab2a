/* Region markers of an RV32 core: ember_region_begin(r) executes SLTI x0, x0, 0x100 + r and ember_region_end()
 * SLTI x0, x0, 0x1FF.
 *
 * An SLTI into x0 is a hint that every core executes as NOP ("Base ISA, HINT instructions"); the profiler looks
 * for its encoding. The number is part of the instruction, hence one 8-byte stub a region and a jump into the row.
 */
    .text
    .option norvc

    .global ember_region_begin
    .type ember_region_begin, @function
ember_region_begin:
    andi a0, a0, 63
    slli a0, a0, 3
    la t0, region_stubs
    add t0, t0, a0
    jr t0
    .size ember_region_begin, . - ember_region_begin

    .balign 8
region_stubs:
    .set region, 0
    .rept 64
    slti x0, x0, 0x100 + region
    ret
    .set region, region + 1
    .endr

    .global ember_region_end
    .type ember_region_end, @function
ember_region_end:
    slti x0, x0, 0x1FF
    ret
    .size ember_region_end, . - ember_region_end
