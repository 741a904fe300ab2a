"""Cortex-M7: in-order dual issue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from emberc.harness.cycles.instruction import (
    CycleModel,
    Instruction,
    Kind,
    address_registers,
    kind,
    listed_registers,
    reads_writes,
    writes_back,
)

_UNIT = {
    Kind.LOAD: "load",
    Kind.FLOAT_LOAD: "load",
    Kind.STORE: "store",
    Kind.FLOAT_STORE: "store",
    Kind.MAC: "mac",
    Kind.MAC_LONG: "mac",
    Kind.MAC_LONG_ADD: "mac",
    Kind.DIVIDE: "mac",
    Kind.SHIFT: "shift",
    Kind.FLOAT: "float",
    Kind.FLOAT_DIVIDE: "float",
    Kind.BRANCH: "branch",
    Kind.TABLE_BRANCH: "branch",
}
_PER_CYCLE = {"load": 2, "alu": 2}
_MANY = (Kind.LOAD_MANY, Kind.STORE_MANY, Kind.LOAD_PAIR, Kind.STORE_PAIR)
_SHIFTED = ("lsl #", "lsr #", "asr #", "ror #")


class CortexM7(CycleModel):
    """An approximation of Cortex-M7, for which Arm publishes no timing table; take it as ±20 %.

    At most two instructions a cycle, in order; of these at most two loads or one store, one multiply, one shift
    or extension (operands shifted on the way count), one float operation, one branch. Results are ready after
    1 cycle (ALU), 2 (load, multiply; 1 into the accumulator of the next multiply), 3 (float), 8 (division),
    14 (float division). LDM, STM, LDRD, STRD issue alone and move two registers a cycle. Predicted branches are
    free.
    """

    latency = {"load": 2, "mac": 2, "float": 3}
    slow = {Kind.DIVIDE: 8, Kind.FLOAT_DIVIDE: 14}

    def block(self, code: Sequence[Instruction]) -> int:
        clock = 0
        used: Counter[str] = Counter()
        ready: dict[str, int] = {}
        accumulator_ready: dict[str, int] = {}
        for instruction in code:
            kind_, operands = kind(instruction.mnemonic), instruction.operands
            if kind_ is Kind.IF_THEN:
                continue
            reads, writes = reads_writes(instruction)
            accumulator = _accumulator(instruction, kind_)
            start = max((accumulator_ready if r in accumulator else ready).get(r, 0) for r in reads) if reads else 0
            if start > clock:
                clock, used = start, Counter()
            if kind_ in _MANY or "{" in operands:
                clock += bool(used["all"])
                moved = 2 if kind_ in (Kind.LOAD_PAIR, Kind.STORE_PAIR) else listed_registers(operands)
                clock, used = clock + (moved + 1) // 2, Counter()
                for r in writes:
                    ready[r] = accumulator_ready[r] = clock + 1
                continue
            unit = _UNIT.get(kind_, "alu")
            if unit == "alu" and any(shift in operands for shift in _SHIFTED):
                unit = "shift"
            if not _fits(unit, used):
                clock, used = clock + 1, Counter()
            used["all"] += 1
            used[unit] += 1
            late = clock + self.slow.get(kind_, self.latency.get(unit, 1))
            for r in writes:
                ready[r] = late
                accumulator_ready[r] = clock + 1 if unit == "mac" and kind_ is not Kind.DIVIDE else late
            if writes_back(operands):
                for r in address_registers(operands):
                    ready[r] = accumulator_ready[r] = clock + 1
        return clock + 1 if code else 0


def _fits(unit: str, used: Counter[str]) -> bool:
    """Whether the current cycle can take one more instruction of ``unit``."""
    if used["all"] >= 2 or used[unit] >= _PER_CYCLE.get(unit, 1):
        return False
    return not ((unit == "store" and used["load"]) or (unit == "load" and used["store"]))


def _accumulator(instruction: Instruction, kind_: Kind) -> frozenset[str]:
    """The register that a multiply-accumulate only adds to: it is needed a cycle later than the factors."""
    if kind_ is Kind.MAC_LONG_ADD:
        return reads_writes(instruction)[1]
    if kind_ is Kind.MAC and instruction.mnemonic.startswith(("mla", "mls", "sml", "smmla", "smmls")):
        return frozenset([instruction.operands.rpartition(",")[2].strip()])
    return frozenset()
