"""Joins the plugin's block counts with the disassembly: instructions and modelled cycles by region and function."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from emberc.harness.cycles import CycleModel, Instruction
from emberc.harness.errors import RunError
from emberc.harness.image import Image
from emberc.harness.tools import run_tool

_INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\t([0-9a-f ]+?)\s*\t(\S+)(?:\t(.*))?$")
_FUNCTION = re.compile(r"^([0-9a-f]+) <(.+)>:$")
_COMMENT = re.compile(r"\s*[;@#]\s.*$|\s*<[^>]*>.*$")


@dataclass
class Counts:
    """Executed instructions, exact, and modelled cycles (zero wait states, no caches)."""

    instructions: int = 0
    cycles: int = 0

    def add(self, instructions: int, cycles: int) -> None:
        self.instructions += instructions
        self.cycles += cycles


@dataclass(frozen=True)
class Profile:
    """What ran inside regions, firmware code only: golden data's and the port's own code is left out.

    ``regions``: region number -> counts. ``functions``: C name -> counts over all regions. ``accesses``: for each
    memory that the plugin watched, loads and stores of up to 32 bits over all regions.
    """

    regions: dict[int, Counts] = field(default_factory=dict)
    functions: dict[str, Counts] = field(default_factory=dict)
    accesses: list[tuple[int, int]] = field(default_factory=list)

    @property
    def total(self) -> Counts:
        """Sum over all regions."""
        regions = self.regions.values()
        return Counts(sum(c.instructions for c in regions), sum(c.cycles for c in regions))


@dataclass(frozen=True)
class Disassembly:
    """Every instruction of an image by address, and the functions' start addresses in order."""

    code: dict[int, Instruction]
    starts: list[int]
    names: list[str]

    def function(self, address: int) -> str:
        """The function that holds ``address``, or '?'."""
        at = bisect_right(self.starts, address) - 1
        return self.names[at] if at >= 0 else "?"

    def block(self, start: int, count: int) -> Iterator[Instruction]:
        """``count`` instructions from ``start`` on. Raises RunError where the disassembly has none."""
        at = start
        for _ in range(count):
            if at not in self.code:
                raise RunError(f"executed code at {at:#x} is not in the disassembly")
            yield self.code[at]
            at += self.code[at].size


def join_profile(image: Image, counts: str, model: CycleModel | None) -> Profile:
    """The Profile of a run of ``image`` from the plugin's output ``counts`` (lines as in ``region_profile.c``).

    Without a ``model`` all cycles are 0.
    """
    target = image.target
    listing = run_tool([*target.toolchain.objdump, "-d", str(image.elf)], what="disassembling", target=target)
    code = parse_disassembly(listing)
    profile = Profile()
    costs: dict[tuple[int, int], tuple[int, int]] = {}
    for line in counts.splitlines():
        numbers = [int(word, 16 if i == 1 else 10) for i, word in enumerate(line.split())]
        region, start, length, runs, jumps, *accesses = numbers
        if region < 0 or not image.is_firmware(start):
            continue
        if (start, length) not in costs:
            costs[start, length] = _block_cost(list(code.block(start, length)), model)
        cost, penalty = costs[start, length]
        instructions, cycles = length * runs, cost * runs + penalty * jumps
        profile.regions.setdefault(region, Counts()).add(instructions, cycles)
        profile.functions.setdefault(code.function(start), Counts()).add(instructions, cycles)
        pairs = zip(accesses[::2], accesses[1::2], strict=True)
        so_far = profile.accesses or [(0, 0)] * (len(accesses) // 2)
        profile.accesses[:] = [(a + loads, b + stores) for (a, b), (loads, stores) in zip(so_far, pairs, strict=True)]
    return profile


def _block_cost(block: list[Instruction], model: CycleModel | None) -> tuple[int, int]:
    return (model.block(block), model.jump_penalty(block[-1])) if model else (0, 0)


def parse_disassembly(listing: str) -> Disassembly:
    """Parse what ``objdump -d`` prints; comments and symbolic addresses are dropped from the operands."""
    code: dict[int, Instruction] = {}
    starts: list[int] = []
    names: list[str] = []
    for line in listing.splitlines():
        if match := _INSTRUCTION.match(line):
            size = len(match[2].replace(" ", "")) // 2
            operands = _COMMENT.sub("", match[4] or "").strip()
            code[int(match[1], 16)] = Instruction(match[3], operands, size)
        elif match := _FUNCTION.match(line):
            starts.append(int(match[1], 16))
            names.append(match[2])
    return Disassembly(code, starts, names)
