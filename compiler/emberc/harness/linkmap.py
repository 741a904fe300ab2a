"""Reads GNU ld's map file: which object brought how many bytes to where, after unused sections are dropped."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MEMBER = re.compile(r"\S+\.a\(.+\)$")
_PULL = re.compile(r"^(\S.*\.a\(\S+\))(?:\s+(\S.*) \((?:.+)\))?$")
_PULLED_BY = re.compile(r"^\s+(\S.*) \((?:.+)\)$")
_OUTPUT = re.compile(r"^(\.[\w.$-]+)(?:\s+0x[0-9a-f]+\s+0x[0-9a-f]+.*)?$")
_INPUT = re.compile(r"^ (\.[\w.$*-]+|COMMON)(?:\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+(\S.*))?$")
_REST = re.compile(r"^\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+(\S.*)$")
_FILL = re.compile(r"^ \*fill\*\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)")


@dataclass(frozen=True)
class Piece:
    """An input section in the image: ``size`` bytes at ``address``, from ``origin`` (an object or ``lib.a(member)``).

    ``output`` is the output section that holds it, ``section`` its own name (``.text.ember_matmul_s8``).
    """

    output: str
    section: str
    address: int
    size: int
    origin: str


@dataclass(frozen=True)
class LinkMap:
    """Pieces in address order of the file, and for each archive member the object or member that asked for it."""

    pieces: tuple[Piece, ...]
    pulled_by: dict[str, str]

    def asker(self, origin: str) -> str:
        """The object file on whose behalf ``origin`` is in the image: itself, or who first needed the member."""
        seen = set()
        while origin in self.pulled_by and origin not in seen:
            seen.add(origin)
            origin = self.pulled_by[origin]
        return origin


def parse_link_map(text: str) -> LinkMap:
    """Parse what ``ld -Map`` writes. Alignment fill counts to the piece before it."""
    head, _, body = text.partition("Linker script and memory map")
    return LinkMap(tuple(_pieces(body)), _pulls(head))


def _pulls(head: str) -> dict[str, str]:
    """The list "Archive member included to satisfy reference by file (symbol)"."""
    pulls: dict[str, str] = {}
    member = None
    for line in head.splitlines():
        if member and (match := _PULLED_BY.match(line)):
            pulls[member] = match[1]
            member = None
        elif (match := _PULL.match(line)) and _MEMBER.match(match[1]):
            member = match[1]
            if match[2]:
                pulls[member] = match[2]
                member = None
        else:
            member = None
        if line.startswith("Discarded input sections"):
            break
    return pulls


def _pieces(body: str) -> list[Piece]:
    pieces: list[Piece] = []
    output = pending = ""
    for line in body.splitlines():
        if match := _OUTPUT.match(line):
            output, pending = match[1], ""
        elif match := _INPUT.match(line):
            pending = match[1]
            if match[2]:
                _append(pieces, output, pending, match[2], match[3], match[4])
                pending = ""
        elif pending and (match := _REST.match(line)):
            _append(pieces, output, pending, match[1], match[2], match[3])
            pending = ""
        elif (match := _FILL.match(line)) and pieces and pieces[-1].output == output:
            last = pieces[-1]
            pieces[-1] = Piece(output, last.section, last.address, last.size + int(match[2], 16), last.origin)
        else:
            pending = ""
    return pieces


def _append(pieces: list[Piece], output: str, section: str, address: str, size: str, origin: str) -> None:
    if int(size, 16):
        pieces.append(Piece(output, section, int(address, 16), int(size, 16), origin))
