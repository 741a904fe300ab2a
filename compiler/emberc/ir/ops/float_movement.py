"""The movement ops of the float dialect; their definitions are in ``movement.py``."""

from __future__ import annotations

from emberc.ir.ops import movement


class Reshape(movement.Reshape):
    """The same elements under another shape. Source: ONNX Reshape."""

    opcode = "f.reshape"


class Transpose(movement.Transpose):
    """Axis k of y is axis perm[k] of x. Source: ONNX Transpose."""

    opcode = "f.transpose"


class Slice(movement.Slice):
    """y takes range(start, end, step) of each listed axis. Source: ONNX Slice, indices resolved."""

    opcode = "f.slice"


class Concat(movement.Concat):
    """y is the operands one after the other along ``axis``. Source: ONNX Concat."""

    opcode = "f.concat"


class Gather(movement.Gather):
    """y[.., i.., ..] = x[.., ids[i..], ..] along ``axis``. Source: ONNX Gather."""

    opcode = "f.gather"


class GatherND(movement.GatherND):
    """y[b.., i.., ..] = x[b.., ids[b.., i.., :], ..]. Source: ONNX GatherND."""

    opcode = "f.gather_nd"


class Pad(movement.Pad):
    """x with ``pads`` more elements around it. Source: ONNX Pad."""

    opcode = "f.pad"


class Expand(movement.Expand):
    """x broadcast to ``shape``. Source: ONNX Expand (numpy broadcasting)."""

    opcode = "f.expand"
