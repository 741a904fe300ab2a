"""The linker's map: wrapped lines, fill, dropped sections, members that pull in members."""

from __future__ import annotations

from emberc.harness.linkmap import parse_link_map

MAP = """\
Archive member included to satisfy reference by file (symbol)

/usr/lib/libgcc.a(_aeabi_ldivmod.o)
                              work/kernel.o (__aeabi_ldivmod)
/usr/lib/libgcc.a(_udivmoddi4.o)
                              /usr/lib/libgcc.a(_aeabi_ldivmod.o) (__udivmoddi4)
l.a(m.o) work/golden.o (m)

Discarded input sections

 .text.ember_never_called
                0x00000000       0x40 work/kernel.o

Memory Configuration

Linker script and memory map

LOAD work/kernel.o

.text           0x00000400      0x150
 *(.text .text.*)
 .text          0x00000400        0x0 work/kernel.o
 .text.ember_scale_s8
                0x00000400       0x3c work/kernel.o
                0x00000400                ember_scale_s8
 .text.run      0x0000043c       0x10 work/model.o
 *fill*         0x0000044c        0x4
 .text          0x00000450       0x20 /usr/lib/libgcc.a(_aeabi_ldivmod.o)
                0x00000450                __aeabi_ldivmod
 .text          0x00000470       0x10 /usr/lib/libgcc.a(_udivmoddi4.o)

.rodata         0x00000550      0x100
 .rodata.weights
                0x00000550      0x100 work/my weights.o
"""


def test_pieces_with_address_size_and_origin() -> None:
    found = [(p.output, p.section, p.address, p.size, p.origin) for p in parse_link_map(MAP).pieces]
    assert found == [
        (".text", ".text.ember_scale_s8", 0x400, 0x3C, "work/kernel.o"),
        (".text", ".text.run", 0x43C, 0x14, "work/model.o"),
        (".text", ".text", 0x450, 0x20, "/usr/lib/libgcc.a(_aeabi_ldivmod.o)"),
        (".text", ".text", 0x470, 0x10, "/usr/lib/libgcc.a(_udivmoddi4.o)"),
        (".rodata", ".rodata.weights", 0x550, 0x100, "work/my weights.o"),
    ]


def test_members_are_charged_to_the_object_that_first_asked() -> None:
    link_map = parse_link_map(MAP)
    assert link_map.asker("/usr/lib/libgcc.a(_udivmoddi4.o)") == "work/kernel.o"
    assert link_map.asker("l.a(m.o)") == "work/golden.o"
    assert link_map.asker("work/model.o") == "work/model.o"
