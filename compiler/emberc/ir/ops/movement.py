"""Shared bases of the ops that move elements and compute nothing: `f.slice` and `q.slice` are one definition.

None of the classes here has an opcode; a dialect subclasses them with one. They accept every element type.
Attributes are absolute: axes count from the front, sizes are resolved, nothing is negative or "the rest".
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from emberc.errors import UsageError, VerifyError
from emberc.ir.op import Cost, Op, attribute, operand, result, variadic
from emberc.ir.types import Array, DType, TensorType

INDEX_TYPES = (DType.I32, DType.I64, DType.I16, DType.U16, DType.I8, DType.U8)


def moved(t: TensorType, shape: Sequence[int]) -> TensorType:
    """``t`` at another shape; a per-axis quantization is dropped, because its axis may be gone."""
    new = t.with_shape(shape)
    return new.with_quant(None) if t.quant is not None and t.quant.axis is not None else new


class Reshape(Op):
    """y has the elements of x in the same row-major order, under ``shape``."""

    x = operand()
    shape = attribute[list[int]]()
    y = result()
    is_view = True
    inplace = {"y": ("x",)}

    def infer(self) -> list[TensorType]:
        if prod(self.shape) != self.x.type.elements:
            raise VerifyError(f"reshape of {list(self.x.shape)} to {list(self.shape)} changes the size", at=self.loc)
        return [moved(self.x.type, self.shape)]

    def reference(self, x: Array) -> Array:
        return x.reshape(self.shape)

    def cost(self) -> Cost:
        return Cost()


class Transpose(Op):
    """y[i[perm[0]], i[perm[1]], ...] = x[i[0], i[1], ...]: axis k of y is axis perm[k] of x."""

    x = operand()
    perm = attribute[list[int]]()
    y = result()

    def infer(self) -> list[TensorType]:
        if sorted(self.perm) != list(range(self.x.type.rank)):
            raise VerifyError(f"perm {self.perm} does not permute the axes of {list(self.x.shape)}", at=self.loc)
        return [moved(self.x.type, [self.x.shape[p] for p in self.perm])]

    def reference(self, x: Array) -> Array:
        return np.ascontiguousarray(x.transpose(self.perm)).reshape([x.shape[p] for p in self.perm])


class Slice(Op):
    """y takes the elements ``range(start, end, step)`` of each listed axis, the others whole.

    A negative step walks backwards; its end may then be -1, which includes element 0.
    """

    x = operand()
    starts = attribute[list[int]]()
    ends = attribute[list[int]]()
    axes = attribute[list[int]]()
    steps = attribute[list[int]]()
    y = result()

    def ranges(self) -> dict[int, range]:
        """Axis -> the elements it takes."""
        return {
            a: range(s, e, step) for a, s, e, step in zip(self.axes, self.starts, self.ends, self.steps, strict=True)
        }

    def infer(self) -> list[TensorType]:
        lengths = {len(self.starts), len(self.ends), len(self.axes), len(self.steps)}
        if len(lengths) != 1 or len(set(self.axes)) != len(self.axes) or 0 in self.steps:
            raise VerifyError("slice needs one start, end and non-zero step for each of its axes", at=self.loc)
        shape = list(self.x.shape)
        for axis, taken in self.ranges().items():
            if not 0 <= axis < len(shape):
                raise VerifyError(f"slice has no axis {axis} in {list(self.x.shape)}", at=self.loc)
            if len(taken) and (min(taken[0], taken[-1]) < 0 or max(taken[0], taken[-1]) >= shape[axis]):
                raise VerifyError(f"slice takes {taken} of axis {axis}, which has {shape[axis]}", at=self.loc)
            shape[axis] = len(taken)
        return [moved(self.x.type, shape)]

    def reference(self, x: Array) -> Array:
        cut: list[slice] = [slice(None)] * x.ndim
        for axis, taken in self.ranges().items():
            cut[axis] = slice(taken.start, taken.stop if taken.stop >= 0 else None, taken.step) if taken else slice(0)
        return np.ascontiguousarray(x[tuple(cut)]).reshape(self.y.shape)


class Concat(Op):
    """y is the operands one after the other along ``axis``."""

    axis = attribute[int]()
    xs = variadic()
    y = result()

    def infer(self) -> list[TensorType]:
        if not self.xs:
            raise VerifyError("concat of nothing", at=self.loc)
        first = self.xs[0]
        if not 0 <= self.axis < first.type.rank:
            raise VerifyError(f"concat has no axis {self.axis} in {list(first.shape)}", at=self.loc)
        want = list(first.shape)
        want[self.axis] = 0
        for x in self.xs:
            have = list(x.shape)
            if len(have) == len(want):
                want[self.axis] += have[self.axis]
                have[self.axis] = want[self.axis]
            if have != want or x.type.dtype is not first.type.dtype:
                raise VerifyError(f"concat along axis {self.axis} of {self.xs} does not fit", at=self.loc)
        return [moved(first.type, want)]

    def reference(self, *xs: Array) -> Array:
        return np.concatenate(xs, axis=self.axis)


class Gather(Op):
    """y[.., i.., ..] = x[.., ids[i..], ..]: the slices of ``axis`` that ``ids`` names; a negative id counts from
    the end. Source: ONNX Gather."""

    x = operand()
    ids = operand(*INDEX_TYPES)
    axis = attribute[int](0)
    y = result()

    def infer(self) -> list[TensorType]:
        s = self.x.shape
        if not 0 <= self.axis < len(s):
            raise VerifyError(f"gather has no axis {self.axis} in {list(s)}", at=self.loc)
        return [moved(self.x.type, [*s[: self.axis], *self.ids.shape, *s[self.axis + 1 :]])]

    def reference(self, x: Array, ids: Array) -> Array:
        check_index(ids, x.shape[self.axis], self.loc)
        return np.take(x, ids.astype(np.int64), axis=self.axis)


class GatherND(Op):
    """y[b.., i.., ..] = x[b.., ids[b.., i.., :], ..]: the last axis of ``ids`` indexes the axes of x after the
    first ``batch_dims``. Source: ONNX GatherND."""

    x = operand()
    ids = operand(*INDEX_TYPES)
    batch_dims = attribute[int](0)
    y = result()

    def infer(self) -> list[TensorType]:
        b, xs, ids = self.batch_dims, self.x.shape, self.ids.shape
        if not (0 <= b < min(len(xs), len(ids)) and xs[:b] == ids[:b] and b + ids[-1] <= len(xs)):
            raise VerifyError(f"gather_nd of {list(xs)} by {list(ids)} with batch_dims {b} does not fit", at=self.loc)
        return [moved(self.x.type, [*ids[:-1], *xs[b + ids[-1] :]])]

    def reference(self, x: Array, ids: Array) -> Array:
        b, depth = self.batch_dims, ids.shape[-1]
        columns = [ids[..., k].astype(np.int64) for k in range(depth)]
        for k, column in enumerate(columns):
            check_index(column, x.shape[b + k], self.loc)
        batch = np.ogrid[tuple(slice(n) for n in ids.shape[:b])] if b else []
        lead = [g.reshape(g.shape + (1,) * (ids.ndim - 1 - b)) for g in batch]
        out = x[tuple(lead + columns)]
        return np.broadcast_to(out, self.y.shape)


class Pad(Op):
    """y is x with ``pads`` more elements around it: pads = [before axis 0, .., after axis 0, ..].

    ``mode`` fills them with ``value`` ("constant"), the border ("edge"), the mirror image without the border
    ("reflect") or the other end ("wrap"). Source: ONNX Pad.
    """

    x = operand()
    pads = attribute[list[int]]()
    value = attribute[float](0.0)
    mode = attribute[str]("constant")
    y = result()

    def infer(self) -> list[TensorType]:
        s, n = self.x.shape, self.x.type.rank
        if len(self.pads) != 2 * n or any(p < 0 for p in self.pads):
            raise VerifyError(f"pads {self.pads} do not fit {list(s)}", at=self.loc)
        if self.mode not in ("constant", "edge", "reflect", "wrap"):
            raise VerifyError(f"pad has no mode '{self.mode}'", at=self.loc)
        return [moved(self.x.type, [self.pads[i] + s[i] + self.pads[n + i] for i in range(n)])]

    def reference(self, x: Array) -> Array:
        widths = [(self.pads[i], self.pads[x.ndim + i]) for i in range(x.ndim)]
        if self.mode == "constant":
            out = np.full(self.y.shape, np.asarray(self.value).astype(x.dtype), x.dtype)
            out[tuple(slice(b, b + n) for (b, _), n in zip(widths, x.shape, strict=True))] = x
            return out
        return np.pad(x, widths, mode=self.mode)  # type: ignore[call-overload,no-any-return]


class Expand(Op):
    """y is x repeated along its axes of size 1 and along new leading axes, up to ``shape`` (numpy broadcasting)."""

    x = operand()
    shape = attribute[list[int]]()
    y = result()

    def infer(self) -> list[TensorType]:
        s = (1,) * (len(self.shape) - self.x.type.rank) + self.x.shape
        if len(s) != len(self.shape) or any(a not in (1, b) for a, b in zip(s, self.shape, strict=True)):
            raise VerifyError(f"{list(self.x.shape)} does not broadcast to {list(self.shape)}", at=self.loc)
        return [moved(self.x.type, self.shape)]

    def reference(self, x: Array) -> Array:
        return np.broadcast_to(x, tuple(self.shape))


def check_index(ids: Array, size: int, loc: str) -> None:
    """Raises UsageError when an index lies outside -size .. size - 1."""
    if ids.size and (int(ids.min()) < -size or int(ids.max()) >= size):
        worst = int(ids.max()) if int(ids.max()) >= size else int(ids.min())
        raise UsageError(f"index {worst} is outside the table of {size} rows", code="E-RANGE", at=loc)
