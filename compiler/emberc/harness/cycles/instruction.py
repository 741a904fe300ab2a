"""Disassembled instructions for the cycle models: kinds, and the registers they read and write."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import Enum, auto
from functools import cache
from typing import NamedTuple


class Instruction(NamedTuple):
    """One line of objdump: ``ldr.w``, ``r0, [r1, #4]``, size in bytes."""

    mnemonic: str
    operands: str
    size: int


class CycleModel(ABC):
    """Modelled cycles of a processor, composed of blocks and jumps."""

    taken_branch: int = 0
    """Cycles to refill the pipeline after a jump, beyond the branch's own."""

    @abstractmethod
    def block(self, code: Sequence[Instruction]) -> int:
        """Cycles of ``code`` run from its first instruction to its last, without the penalty of a jump at its end."""

    def jump_penalty(self, last: Instruction) -> int:
        """Cycles that leaving a block by a jump costs on top; none at the end of a low-overhead loop."""
        return 0 if kind(last.mnemonic) is Kind.LOOP else self.taken_branch


class Kind(Enum):
    """What an instruction occupies, as far as the models tell kinds apart."""

    ALU = auto()
    SHIFT = auto()  # shifts, bit fields, saturation and extension: one unit in dual-issue pipelines
    MAC = auto()  # multiplies that give or add to 32 bits, and the dual 16-bit ones
    MAC_LONG = auto()  # multiplies to 64 bits
    MAC_LONG_ADD = auto()  # multiplies that add to 64 bits
    DIVIDE = auto()
    LOAD = auto()
    STORE = auto()
    LOAD_PAIR = auto()
    STORE_PAIR = auto()
    LOAD_MANY = auto()
    STORE_MANY = auto()
    BRANCH = auto()
    TABLE_BRANCH = auto()
    IF_THEN = auto()
    LOOP = auto()  # end of a low-overhead loop
    FLOAT = auto()
    FLOAT_DIVIDE = auto()
    FLOAT_LOAD = auto()
    FLOAT_STORE = auto()
    VECTOR = auto()
    VECTOR_MAC = auto()
    VECTOR_LOAD = auto()
    VECTOR_STORE = auto()


_COND = r"(?:eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|al)?"

# First match wins. Mnemonics of Arm and RISC-V meet in one table; where a name means two things ("mul", "lb")
# they are of the same kind.
_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = tuple(
    (kind_, re.compile(pattern))
    for kind_, pattern in (
        (Kind.IF_THEN, r"it[te]{0,3}$|vpst"),
        (Kind.LOOP, r"letp$|le$"),
        (Kind.VECTOR_LOAD, r"v(?:ldr[bhwd]|ld[24]\d?)[te]?\."),
        (Kind.VECTOR_STORE, r"v(?:str[bhwd]|st[24]\d?)[te]?\."),
        (Kind.FLOAT_DIVIDE, r"v(?:div|sqrt)"),
        (Kind.VECTOR_MAC, r"v(?:r?ml|mul|q?r?dm|qdml|rmul|fma|cmla|hcadd)\w*\.[siupf]\d+"),
        (Kind.FLOAT_LOAD, r"v(?:ldr|ldm|pop)"),
        (Kind.FLOAT_STORE, r"v(?:str|stm|push)"),
        (Kind.FLOAT, r"v\w+\.f(?:16|32|64)$"),
        (Kind.ALU, r"v(?:mov|mrs|msr)(?:\.|$)"),
        (Kind.VECTOR, r"v"),
        (Kind.LOAD_PAIR, r"ldrd"),
        (Kind.STORE_PAIR, r"strd"),
        (Kind.LOAD_MANY, r"ldm|pop"),
        (Kind.STORE_MANY, r"stm|push"),
        (Kind.LOAD, r"ldr|(?:lw|lh|lhu|lb|lbu|flw)$"),
        (Kind.STORE, r"str|(?:sw|sh|sb|fsw)$"),
        (Kind.DIVIDE, r"(?:sdiv|udiv|divu?|remu?)\b"),
        (Kind.MAC_LONG_ADD, r"smlal|umlal|umaal|smlsld"),
        (Kind.MAC_LONG, r"smull|umull"),
        (Kind.MAC, r"mul|ml[as]|sml|smul|smm|smu[as]d|usad"),
        (Kind.SHIFT, r"(?:sxt|uxt|lsl|lsr|asr|ror|rrx|ssat|usat|pkh|bfi|bfc|sbfx|ubfx)"),
        (Kind.TABLE_BRANCH, r"tb[bh]$"),
        (
            Kind.BRANCH,
            rf"(?:b|bl|bx|blx){_COND}$|cbn?z$|jal?$|jalr?$|jr$|ret$|call$|tail$|b(?:ltu|geu|gtu|leu)$",
        ),
        (Kind.BRANCH, r"b(?:eq|ne|lt|ge|le|gt)z$|bf"),
    )
)

_REGISTER = re.compile(r"\b(?:r\d+|ip|sp|lr|pc|sl|fp|sb|q\d|s\d+|d\d+|[at]\d+|ra|gp|tp)\b")
_SPLIT = re.compile(r",(?![^\[{]*[\]}])")
_NUMBER = {"sb": 9, "sl": 10, "fp": 11, "ip": 12, "sp": 13, "lr": 14, "pc": 15}
_NO_RESULT = frozenset(
    (
        *(Kind.STORE, Kind.STORE_PAIR, Kind.STORE_MANY, Kind.FLOAT_STORE, Kind.VECTOR_STORE),
        *(Kind.BRANCH, Kind.TABLE_BRANCH, Kind.IF_THEN, Kind.LOOP),
    )
)
_LOAD_MANY = (Kind.LOAD_MANY, Kind.FLOAT_LOAD)


@cache
def kind(mnemonic: str) -> Kind:
    """The kind of a mnemonic as objdump writes it, width suffixes (``.w``, ``.n``) and conditions included."""
    bare = re.sub(r"\.[wn]$", "", mnemonic)
    for kind_, pattern in _KINDS:
        if pattern.match(bare):
            return kind_
    return Kind.ALU


def listed_registers(operands: str) -> int:
    """How many registers ``{r4-r7, lr}`` names; 1 without braces."""
    inside = re.search(r"\{(.*)\}", operands)
    if not inside:
        return 1
    total = 0
    for part in inside[1].split(","):
        first, _, last = (p.strip() for p in part.partition("-"))
        total += _register_number(last) - _register_number(first) + 1 if last else 1
    return total


def _register_number(name: str) -> int:
    return _NUMBER.get(name, int(re.sub(r"\D", "", name) or 0))


def address_registers(operands: str) -> frozenset[str]:
    """Registers inside the brackets (Arm) or parentheses (RISC-V) of a memory operand."""
    inside = re.search(r"\[([^\]]*)\]|\(([^)]*)\)", operands)
    return frozenset(_REGISTER.findall(inside[0])) if inside else frozenset()


def writes_back(operands: str) -> bool:
    """Whether an Arm address is updated: ``[r0, #4]!`` or ``[r0], #4``."""
    return "]!" in operands or "], #" in operands


@cache
def reads_writes(instruction: Instruction) -> tuple[frozenset[str], frozenset[str]]:
    """Registers read and registers written, precise enough for a scoreboard; flags are not followed."""
    mnemonic, operands, _ = instruction
    kind_ = kind(mnemonic)
    fields = [frozenset(_REGISTER.findall(part)) for part in _SPLIT.split(operands)] if operands else []
    if not fields:
        return frozenset(), frozenset()
    everything = frozenset().union(*fields)
    if kind_ in _NO_RESULT or re.match(r"cmp|cmn|tst|teq|vcmp", mnemonic):
        return everything, frozenset()
    if kind_ in _LOAD_MANY and "{" in operands:
        base = frozenset() if operands.startswith("{") else fields[0]
        return base, everything - base
    read, written = frozenset().union(*fields[1:]), fields[0]
    if len(fields) > 1 and kind_ in (Kind.LOAD_PAIR, Kind.MAC_LONG, Kind.MAC_LONG_ADD):
        written |= fields[1]
        read = frozenset().union(*fields[2:])
    if kind_ is Kind.MAC_LONG_ADD or re.match(r"vmla|vrmla|vfma|vfms|movt|bfi", mnemonic):
        read |= written
    # "adds r0, #1" and "add r0, r1" read their destination; moves and unary operations do not.
    if (
        len(fields) == 2
        and kind_ in (Kind.ALU, Kind.SHIFT)
        and not re.match(r"mov|mv|mvn|li|lui|auipc|sxt|uxt|rev|clz|adr|rbit|neg|not|seqz|snez", mnemonic)
    ):
        read |= written
    return read, written
