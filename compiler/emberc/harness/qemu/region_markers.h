/* The architectural no-ops by which a guest opens and closes a region (runtime_c/ports/<architecture>/region.S). */
#ifndef EMBER_REGION_MARKERS_H
#define EMBER_REGION_MARKERS_H

#include "plugin_interface.h"

enum { REGIONS = 64, OUTSIDE = REGIONS, NO_MARKER = -1 };

/* The region that this instruction opens, OUTSIDE if it closes one, or NO_MARKER. */
static int marker(const uint8_t *code, size_t size)
{
    if (size != 4)
        return NO_MARKER;
    /* Thumb: HINT.W #n is F3AF 80nn, stored as two little-endian halfwords. */
    if (code[0] == 0xAF && code[1] == 0xF3 && code[3] == 0x80) {
        if (code[2] >= 0xA0 && code[2] < 0xA0 + REGIONS)
            return code[2] - 0xA0;
        return code[2] == 0xE0 ? OUTSIDE : NO_MARKER;
    }
    /* RISC-V: SLTI x0, x0, imm; imm in the top twelve bits. */
    const uint32_t word =
        (uint32_t)code[0] | (uint32_t)code[1] << 8 | (uint32_t)code[2] << 16 | (uint32_t)code[3] << 24;
    if ((word & 0xFFFFF) == 0x02013) {
        const uint32_t imm = word >> 20;
        if (imm >= 0x100 && imm < 0x100 + REGIONS)
            return (int)imm - 0x100;
        return imm == 0x1FF ? OUTSIDE : NO_MARKER;
    }
    return NO_MARKER;
}

static int insn_marker(const struct qemu_plugin_insn *insn)
{
    const size_t size = qemu_plugin_insn_size(insn);
#if EMBER_QEMU_PLUGIN_ABI >= 2
    uint8_t code[4] = {0};
    return qemu_plugin_insn_data(insn, code, sizeof code) < size ? NO_MARKER : marker(code, size);
#else
    return marker(qemu_plugin_insn_data(insn), size);
#endif
}

#endif
