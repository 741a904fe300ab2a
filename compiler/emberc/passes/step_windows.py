"""How ops with windows over time are written for a few rows: the rows that a window reaches back to are kept.

A window must end at the row that it answers for (causal padding), and there must be one for every row: a call that
answers only every other time has no place in a chain of ops that all run at every call.
"""

from __future__ import annotations

from collections.abc import Sequence

from emberc.ir.ops.integer_convolution import Conv
from emberc.ir.ops.integer_rows import DepthwiseRows
from emberc.ir.ops.integer_stream import Slide
from emberc.ir.ops.integer_window import Depthwise, PoolMax, PoolMean
from emberc.ir.values import Value
from emberc.passes.steps import Steps, rule

Written = tuple[Sequence[Value], int | None]


@rule("q.depthwise_rows")
def _depthwise_rows(op: DepthwiseRows, steps: Steps) -> Written:
    back = (op.w.shape[0] - 1) * op.dilation
    if op.before != back or op.rows != steps.length or steps.axis(op.x) != 1:
        raise _looks_ahead(steps)
    x = _behind_kept_rows(op.x, 1, back, op.zx, steps)
    attrs = {**op.attrs, "before": 0, "rows": steps.rows}
    return [steps.emit(DepthwiseRows, x, op.w, op.bias, op.m, type=steps.shorter(op.y.type, 1), **attrs)], 1


@rule("q.conv", "q.depthwise", "q.pool_max", "q.pool_mean")
def _windows(op: Conv | Depthwise | PoolMax | PoolMean, steps: Steps) -> Written:
    """Outside x a convolution reads ``zx``, a maximum nothing: that is what the rows before the first are."""
    windows, axis = op.windows(), steps.axis(op.x)
    if axis is None or axis == op.x.type.rank - 1:
        raise steps.refuse(f"{op.opcode} mixes all steps")
    if axis == 0:
        return steps.again(op, 0), 0
    i, n = axis - 1, len(windows.kernel)
    if windows.strides[i] > 1:
        raise steps.refuse(
            f"its windows are {windows.strides[i]} steps apart: most calls would have no answer",
            f"give the model {windows.strides[i]} steps as one, side by side, and train with stride 1",
        )
    back = windows.extents()[i] - 1
    if windows.pads[i] != back or windows.pads[n + i]:
        raise _looks_ahead(steps)
    if back and isinstance(op, PoolMean):
        raise steps.refuse("a mean over steps has fewer of them at the beginning", "average with a causal convolution")
    x = _behind_kept_rows(op.x, axis, back, op.x.type.dtype.limits[0] if isinstance(op, PoolMax) else op.zx, steps)
    pads = [0 if k in (i, n + i) else p for k, p in enumerate(windows.pads)]
    operands = [x, *(None if v is None else steps.get(v) for v in op.operands[1:])]
    new = type(op).from_parts(operands, {**op.attrs, "pads": pads}, [steps.shorter(op.y.type, axis)], op.loc)
    steps.builder.ops.append(new)
    return new.results, axis


def _behind_kept_rows(v: Value, axis: int, back: int, fill: int, steps: Steps) -> Value:
    """This call's rows of ``v`` behind the ``back`` rows of earlier calls, which are ``fill`` before the first.

    One state holds both, slid along in place: windows read the caller's context, there is no second copy. Ops with the
    same reach over the same value (the two branches of a gated convolution) share it.
    """
    x = steps.get(v)
    if not back:
        return x

    def window() -> Value:
        t = v.type.with_shape([back + steps.rows if i == axis else s for i, s in enumerate(v.shape)])
        kept = steps.state(t, "rows", fill)
        after = steps.emit(Slide, kept, x, type=t, axis=axis)
        steps.keep(kept, after)
        return after

    return steps.once(("rows", id(v), axis, back, fill), window)


def _looks_ahead(steps: Steps) -> Exception:
    return steps.refuse(
        "its window looks ahead, or answers fewer steps than it reads",
        "train with a causal convolution: all padding before the first step",
    )
