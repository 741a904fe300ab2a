"""The movement ops of the integer dialect; their definitions are in ``movement.py``.

They keep bits as they are, so every element type is allowed and the scale passes through.
"""

from __future__ import annotations

from emberc.ir.op import operand
from emberc.ir.ops import movement
from emberc.ir.ops.integer_base import IntegerOp
from emberc.ir.types import DType


class Copying(IntegerOp):
    """Base of the ops whose kernel is one strided copy, or several."""

    def kernel(self) -> str:
        return "ember_copy"


class Reshape(movement.Reshape, Copying):
    """The same elements under another shape: y.flat[i] = x.flat[i]. Source: ONNX Reshape."""

    opcode = "q.reshape"


class Transpose(movement.Transpose, Copying):
    """Axis k of y is axis perm[k] of x. Source: ONNX Transpose."""

    opcode = "q.transpose"


class Slice(movement.Slice, Copying):
    """y takes range(start, end, step) of each listed axis. Source: ONNX Slice, indices resolved."""

    opcode = "q.slice"


class Concat(movement.Concat, Copying):
    """y is the operands one after the other along ``axis``; all have one scale. Source: ONNX Concat."""

    opcode = "q.concat"


class Gather(movement.Gather, IntegerOp):
    """y[.., i.., ..] = x[.., ids[i..], ..]: the slices of ``axis`` that ``ids`` names; a negative id counts from the
    end. An id outside the axis: the kernel returns EMBER_ERR_RANGE, the reference raises UsageError.
    Source: ONNX Gather.
    """

    opcode = "q.gather"
    ids = operand(DType.I32)

    def kernel(self) -> str:
        return "ember_gather"


class Pad(movement.Pad, Copying):
    """x with ``pads`` more elements of ``value`` around it; ``value`` is in steps, usually the zero point.

    Source: ONNX Pad, mode "constant".
    """

    opcode = "q.pad"

    def verify(self) -> None:
        self.require(self.mode == "constant", f"mode is '{self.mode}', allowed: constant")
        self.require(float(self.value).is_integer(), f"value {self.value} is not an integer")


class Expand(movement.Expand, Copying):
    """x broadcast to ``shape``. Source: ONNX Expand (numpy broadcasting)."""

    opcode = "q.expand"
