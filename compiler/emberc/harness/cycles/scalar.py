"""Single-issue scalar processors: Cortex-M3, Cortex-M4 (also taken for Cortex-M33), a generic RV32."""

from __future__ import annotations

from collections.abc import Sequence

from emberc.harness.cycles.instruction import (
    CycleModel,
    Instruction,
    Kind,
    address_registers,
    kind,
    listed_registers,
    reads_writes,
)


class CortexM4(CycleModel):
    """Cortex-M4 Technical Reference Manual (DDI 0439), table 3-1 "Cortex-M4 instruction set summary".

    * a load takes 2, 1 when it follows another load: neighbours overlap address and data phase (note b), unless
      its address comes out of the neighbour;
    * a store takes 1: the write buffer takes the other cycle (section 3.3.2, "Load/store timings");
    * LDM, STM, PUSH, POP of N registers take 1 + N, LDRD and STRD 3;
    * all multiplies take 1, a division 2 to 12, of which 7 is the middle;
    * a taken branch takes 1 + P, P from 1 to 3 to refill the pipeline, of which 2 is the middle; TBB and TBH
      one more.

    Cortex-M33 publishes no such table; its pipeline is of the same class, so it is given these figures.
    Float instructions follow table 7-1: division and square root 14, loads as LDR, the rest 1.
    """

    taken_branch = 2
    costs: dict[Kind, int] = {
        Kind.STORE: 1,
        Kind.LOAD_PAIR: 3,
        Kind.STORE_PAIR: 3,
        Kind.DIVIDE: 7,
        Kind.TABLE_BRANCH: 2,
        Kind.FLOAT_DIVIDE: 14,
        Kind.FLOAT_STORE: 1,
    }

    def block(self, code: Sequence[Instruction]) -> int:
        cycles = 0
        loaded: frozenset[str] | None = None  # by the neighbour before, if that was a load
        for instruction in code:
            kind_, operands = kind(instruction.mnemonic), instruction.operands
            many = "{" in operands
            if kind_ in (Kind.LOAD, Kind.FLOAT_LOAD) and not many:
                overlaps = loaded is not None and not (address_registers(operands) & loaded)
                cycles += 1 if overlaps else 2
                loaded = reads_writes(instruction)[1]
                continue
            loaded = None
            cycles += 1 + listed_registers(operands) if many else self.costs.get(kind_, 1)
        return cycles


class CortexM3(CortexM4):
    """Cortex-M3 Technical Reference Manual (DDI 0337), table 3-1: as Cortex-M4 but for multiplication.

    MLA and MLS take 2, SMULL and UMULL 3 to 5, SMLAL and UMLAL 4 to 7 by the size of the operands; the upper
    figures are taken.
    """

    def block(self, code: Sequence[Instruction]) -> int:
        return super().block(code) + sum(
            1 for i in code if kind(i.mnemonic) is Kind.MAC and i.mnemonic.startswith(("mla", "mls"))
        )

    costs = {**CortexM4.costs, Kind.MAC_LONG: 5, Kind.MAC_LONG_ADD: 7}


class Rv32(CycleModel):
    """A generic RV32IMAC core of two to five stages; no manual's figures.

    One cycle an instruction, one more where the result of a load or multiply is used at once, 18 a division,
    2 to refill the pipeline after a taken branch.
    """

    taken_branch = 2
    divide = 18

    def block(self, code: Sequence[Instruction]) -> int:
        cycles = 0
        late: frozenset[str] = frozenset()
        for instruction in code:
            kind_ = kind(instruction.mnemonic)
            reads, writes = reads_writes(instruction)
            cycles += self.divide if kind_ is Kind.DIVIDE else 1
            cycles += bool(reads & late)
            late = writes if kind_ in (Kind.LOAD, Kind.MAC) else frozenset()
        return cycles
