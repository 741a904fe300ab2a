"""Cycle models on short sequences, against the tables that their docstrings name."""

from __future__ import annotations

import pytest

from emberc.errors import TargetError
from emberc.harness.cycles import Instruction, cycle_model
from emberc.harness.cycles.instruction import Kind, kind, listed_registers, reads_writes


def cycles(model: str, text: str) -> int:
    """Modelled cycles of a block written as "mnemonic operands; ..."."""
    return cycle_model(model).block([parse(line) for line in text.split(";") if line])


def parse(line: str) -> Instruction:
    mnemonic, _, operands = line.strip().partition(" ")
    return Instruction(mnemonic, operands, 4)


# DDI 0439, table 3-1, and section 3.3.2 for loads and stores that follow each other.
CORTEX_M4 = {
    "": 0,
    "add.w r0, r1, r2": 1,
    "mov r0, r1; adds r0, #1": 2,
    "mul r0, r1, r2": 1,
    "mla r0, r1, r2, r3": 1,
    "smull r0, r1, r2, r3": 1,
    "smlal r0, r1, r2, r3": 1,
    "smlad r0, r1, r2, r0": 1,
    "ssat r0, #8, r0": 1,
    "sxtb16 r0, r1, ror #8": 1,
    "udiv r0, r1, r2": 7,
    "ldr r0, [r1, #0]": 2,
    "ldrb.w r0, [r1], #1": 2,
    "ldr r0, [r1, #0]; ldr r2, [r1, #4]; ldr r3, [r1, #8]": 4,
    "ldr r0, [r1, #0]; ldr r2, [r0, #0]": 4,
    "ldr r0, [r1, #0]; adds r0, #1; ldr r2, [r1, #4]": 5,
    "str r0, [r1, #0]": 1,
    "strb.w r0, [r1], #1": 1,
    "ldmia.w r0!, {r1, r2, r3}": 4,
    "ldmia.w r0!, {r4-r7, lr}": 6,
    "stmia r0!, {r1, r2}": 3,
    "push {r4, r5, lr}": 4,
    "pop {r4, r5, pc}": 4,
    "ldrd r0, r1, [r2]": 3,
    "strd r0, r1, [r2]": 3,
    "b.n 8000": 1,
    "tbb [pc, r0]": 2,
    "itt eq; addeq r0, #1; moveq r1, r0": 3,
    "nop": 1,
}


@pytest.mark.parametrize("text", CORTEX_M4)
def test_cortex_m4_follows_the_manual(text: str) -> None:
    assert cycles("cortex-m4", text) == CORTEX_M4[text]


# DDI 0337, table 3-1: what differs from the Cortex-M4.
CORTEX_M3 = {
    "mul r0, r1, r2": 1,
    "mla r0, r1, r2, r3": 2,
    "mls r0, r1, r2, r3": 2,
    "smull r0, r1, r2, r3": 5,
    "smlal r0, r1, r2, r3": 7,
    "ldr r0, [r1, #0]; mla r0, r1, r2, r3": 4,
}


@pytest.mark.parametrize("text", CORTEX_M3)
def test_cortex_m3_follows_the_manual(text: str) -> None:
    assert cycles("cortex-m3", text) == CORTEX_M3[text]


# The pipeline that CortexM7's docstring describes.
CORTEX_M7 = {
    "": 0,
    "add r0, r1; add r2, r3": 1,
    "add r0, r1; add r2, r0": 2,
    "add r0, r1; add r2, r3; add r4, r5": 2,
    "ldr r0, [r1, #0]; ldr r2, [r1, #4]": 1,
    "ldr r0, [r1, #0]; str r2, [r1, #4]": 2,
    "str r0, [r1, #0]; str r2, [r1, #4]": 2,
    "ldr r0, [r1, #0]; add r2, r0": 3,
    "mul r0, r1, r2; mul r3, r1, r2": 2,
    "mla r0, r1, r2, r0; mla r0, r3, r4, r0": 2,
    "mul r0, r1, r2; mul r3, r0, r2": 3,
    "lsls r0, r1, #2; sxtb r2, r3": 2,
    "add.w r0, r1, r2, lsl #2; lsls r3, r4, #1": 2,
    "ldmia.w r0!, {r1, r2, r3}": 3,
    "itt eq; addeq r0, #1; moveq r1, r2": 1,
    "ldr.w r0, [r1], #4; ldr r2, [r1, #0]": 2,
}


@pytest.mark.parametrize("text", CORTEX_M7)
def test_cortex_m7_follows_its_pipeline(text: str) -> None:
    assert cycles("cortex-m7", text) == CORTEX_M7[text]


# Two cycles a pipe for 128 bits, one apart for different pipes.
CORTEX_M55 = {
    "": 0,
    "add r0, r1; add r2, r3": 2,
    "vldrw.u32 q0, [r0]": 2,
    "vldrw.u32 q0, [r0]; vldrw.u32 q1, [r1]": 4,
    "vldrw.u32 q0, [r0]; vmladava.s8 r2, q1, q2": 3,
    "vldrw.u32 q0, [r0]; vmladava.s8 r2, q0, q2; vldrw.u32 q3, [r1]; vmladava.s8 r4, q3, q2": 5,
    "ldr r0, [r1, #0]; add r2, r0": 3,
    "vmladava.s8 r2, q0, q1; vmladava.s8 r2, q3, q4": 4,
    "le lr, 8000": 0,
    "ldmia r0!, {r1, r2, r3, r4}": 2,
}


@pytest.mark.parametrize("text", CORTEX_M55)
def test_cortex_m55_follows_its_pipes(text: str) -> None:
    assert cycles("cortex-m55", text) == CORTEX_M55[text]


RV32 = {
    "": 0,
    "add a0,a1,a2": 1,
    "lw a0,0(a1)": 1,
    "lw a0,0(a1); add a2,a0,a3": 3,
    "lw a0,0(a1); add a2,a4,a3": 2,
    "mul a0,a1,a2; add a3,a0,a3": 3,
    "divu a0,a1,a2": 18,
    "lw a0,0(a1); sw a0,4(a1)": 3,
}


@pytest.mark.parametrize("text", RV32)
def test_rv32_follows_its_pipeline(text: str) -> None:
    assert cycles("rv32", text) == RV32[text]


@pytest.mark.parametrize(("model", "penalty"), [("cortex-m4", 2), ("cortex-m7", 0), ("cortex-m55", 1), ("rv32", 2)])
def test_taken_branch_refills_the_pipeline(model: str, penalty: int) -> None:
    assert cycle_model(model).jump_penalty(parse("bne.n 8000")) == penalty


def test_low_overhead_loop_jumps_for_nothing() -> None:
    assert cycle_model("cortex-m55").jump_penalty(parse("le lr, 8000")) == 0
    assert cycle_model("cortex-m55").jump_penalty(parse("letp lr, 8000")) == 0


def test_unknown_model_lists_the_known() -> None:
    with pytest.raises(TargetError, match="unknown cycle model 'z80'") as caught:
        cycle_model("z80")
    assert "cortex-m4" in caught.value.details[0]


KINDS = {
    "ldrsb.w": Kind.LOAD,
    "ldrne": Kind.LOAD,
    "strh": Kind.STORE,
    "lbu": Kind.LOAD,
    "sb": Kind.STORE,
    "bic": Kind.ALU,
    "bl": Kind.BRANCH,
    "bxeq": Kind.BRANCH,
    "bls.n": Kind.BRANCH,
    "bltu": Kind.BRANCH,
    "beqz": Kind.BRANCH,
    "cbnz": Kind.BRANCH,
    "jal": Kind.BRANCH,
    "sltu": Kind.ALU,
    "sll": Kind.ALU,
    "div": Kind.DIVIDE,
    "remu": Kind.DIVIDE,
    "smmlar": Kind.MAC,
    "mulh": Kind.MAC,
    "umlal": Kind.MAC_LONG_ADD,
    "le": Kind.LOOP,
    "dls": Kind.ALU,
    "vldrb.s16": Kind.VECTOR_LOAD,
    "vst40.8": Kind.VECTOR_STORE,
    "vrmulh.s32": Kind.VECTOR_MAC,
    "vmladavax.s8": Kind.VECTOR_MAC,
    "vqrshrnb.s32": Kind.VECTOR,
    "vmovlb.s8": Kind.VECTOR,
    "vpst": Kind.IF_THEN,
    "vpush": Kind.FLOAT_STORE,
}


@pytest.mark.parametrize("mnemonic", KINDS)
def test_kind(mnemonic: str) -> None:
    assert kind(mnemonic) is KINDS[mnemonic]


@pytest.mark.parametrize(
    ("line", "reads", "writes"),
    [
        ("add.w r0, r1, r2", "r1 r2", "r0"),
        ("adds r0, #1", "r0", "r0"),
        ("mov r0, r1", "r1", "r0"),
        ("cmp r0, r1", "r0 r1", ""),
        ("str r0, [r1, #4]", "r0 r1", ""),
        ("ldr r0, [r1, r2]", "r1 r2", "r0"),
        ("ldrd r0, r1, [r2, #8]", "r2", "r0 r1"),
        ("smlal r0, r1, r2, r3", "r0 r1 r2 r3", "r0 r1"),
        ("ldmia r0!, {r1, r2}", "r0", "r1 r2"),
        ("pop {r4, pc}", "", "r4 pc"),
        ("sw a0,4(sp)", "a0 sp", ""),
        ("mul a0,a1,a2", "a1 a2", "a0"),
    ],
)
def test_registers_read_and_written(line: str, reads: str, writes: str) -> None:
    assert reads_writes(parse(line)) == (frozenset(reads.split()), frozenset(writes.split()))


@pytest.mark.parametrize(
    ("operands", "count"), [("{r4}", 1), ("r0!, {r4-r7, lr}", 5), ("{r8-sl, fp, lr}", 5), ("r0", 1)]
)
def test_listed_registers(operands: str, count: int) -> None:
    assert listed_registers(operands) == count
