"""What the variants of several instruction sets ask: where a C file lies, how operands are walked."""

from __future__ import annotations

from pathlib import Path

from emberc.ir.ops.integer_elementwise import Broadcast
from emberc.ir.strides import broadcast_strides
from emberc.targets import runtime_root


def kernel_source(isa: str, function: str) -> Path:
    """``runtime_c/kernels/<isa>/<function>.c``"""
    return runtime_root() / "kernels" / isa / f"{function}.c"


def side_by_side(op: Broadcast) -> bool:
    """Whether neighbours of the result's rows are neighbours in both operands."""
    if not op.results[0].type.elements:
        return False
    dims, strides = broadcast_strides(op.results[0].shape, [op.x.shape, op.y.shape])
    return dims[-1] == 1 or all(s[-1] == 1 for s in strides)
