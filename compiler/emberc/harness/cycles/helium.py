"""Cortex-M55: single issue with Helium's overlapping vector pipes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from emberc.harness.cycles.instruction import (
    CycleModel,
    Instruction,
    Kind,
    kind,
    listed_registers,
    reads_writes,
)

_PIPE = {
    Kind.VECTOR_LOAD: ("memory", 2),
    Kind.VECTOR_STORE: ("memory", 2),
    Kind.VECTOR_MAC: ("multiply", 2),
    Kind.VECTOR: ("vector", 2),
    Kind.LOAD: ("memory", 1),
    Kind.STORE: ("memory", 1),
    Kind.LOAD_PAIR: ("memory", 1),
    Kind.STORE_PAIR: ("memory", 1),
}
_LATENCY = {
    Kind.VECTOR_MAC: 2,
    Kind.LOAD: 2,
    Kind.MAC: 2,
    Kind.MAC_LONG: 2,
    Kind.MAC_LONG_ADD: 2,
    Kind.FLOAT: 2,
    Kind.FLOAT_LOAD: 2,
    Kind.FLOAT_DIVIDE: 14,
    Kind.DIVIDE: 8,
}
_MANY = (Kind.LOAD_MANY, Kind.STORE_MANY, Kind.FLOAT_LOAD, Kind.FLOAT_STORE)


class CortexM55(CycleModel):
    """An approximation of Cortex-M55; take it as ±20 %.

    One instruction a cycle. Helium moves 64 bits a cycle, so each 128-bit operation holds its pipe (memory,
    multiply, other) for two; operations of different pipes follow one cycle apart and overlap ("Introduction to
    Armv8.1-M", beat-wise execution). A scalar load or multiply is used one cycle later than an ALU result, a
    vector accumulator not. Loads and stores of several registers move two a cycle. The end of a low-overhead
    loop is free, other taken branches cost 1. A gather load costs more on silicon than the model shows.
    """

    taken_branch = 1

    def block(self, code: Sequence[Instruction]) -> int:
        free: Counter[str] = Counter()
        ready: dict[str, int] = {}
        clock = -1
        for instruction in code:
            kind_ = kind(instruction.mnemonic)
            if kind_ is Kind.LOOP:
                continue
            reads, writes = reads_writes(instruction)
            start = clock + 1
            for r in reads:
                if not (kind_ is Kind.VECTOR_MAC and r in writes):
                    start = max(start, ready.get(r, 0))
            pipe, held = _PIPE.get(kind_, ("", 1))
            if kind_ in _MANY:
                pipe, held = "memory", max(1, (listed_registers(instruction.operands) + 1) // 2)
            if pipe:
                start = max(start, free[pipe])
                free[pipe] = start + held
            clock = start + held - 1 if kind_ in _MANY else start
            for r in writes:
                ready[r] = start + _LATENCY.get(kind_, 1)
        return max(clock + 1, *free.values()) if free else clock + 1
