"""Windows that slide over tensors with channels last: what convolution and pooling share."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from emberc.errors import VerifyError
from emberc.ir.op import Op, attribute
from emberc.ir.values import Value


@dataclass(frozen=True)
class Windows:
    """Windows of ``kernel`` over the axes D1, .. of x [B, D1, .., C]: ``strides`` between windows, ``dilations``
    between their elements, ``pads`` [before D1, .., after D1, ..] around x."""

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[int, ...]

    @staticmethod
    def of(op: Op, kernel: tuple[int, ...]) -> Windows:
        """The geometry that an op with ``WindowFields`` declares."""
        fields = [op.attrs[name] for name in ("strides", "dilations", "pads")]
        return Windows(kernel, *[tuple(f) for f in fields if isinstance(f, list)])

    def counts(self, shape: tuple[int, ...], at: str = "") -> list[int]:
        """Windows along each axis of an x of that shape. Raises VerifyError where none fits."""
        n = len(self.kernel)
        lengths = [len(shape) - 2, len(self.strides), len(self.dilations), len(self.pads)]
        if n not in (1, 2) or lengths != [n, n, n, 2 * n]:
            raise VerifyError(f"a window over {n} axes does not fit {list(shape)}", at=at)
        if min(*self.kernel, *self.strides, *self.dilations) < 1 or min(self.pads) < 0:
            raise VerifyError(f"kernel, strides and dilations must be 1 or more, pads 0 or more: {self}", at=at)
        extent = self.extents()
        room = [shape[1 + i] + self.pads[i] + self.pads[n + i] - extent[i] for i in range(n)]
        if min(room) < 0:
            raise VerifyError(f"the window of {list(self.kernel)} is larger than {list(shape)} with pads", at=at)
        return [r // s + 1 for r, s in zip(room, self.strides, strict=True)]

    def extents(self) -> list[int]:
        """What a window spans along each axis."""
        return [d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilations, strict=True)]

    def patches(self, x: Any, fill: float) -> Any:
        """x as [B, windows.., kernel.., C], ``fill`` in its padding."""
        n = len(self.kernel)
        around = [(0, 0), *[(self.pads[i], self.pads[n + i]) for i in range(n)], (0, 0)]
        padded = np.pad(x, around, constant_values=np.asarray(fill).astype(x.dtype))
        view = sliding_window_view(padded, self.extents(), axis=tuple(range(1, 1 + n)))
        starts = [slice(None), *[slice(None, None, s) for s in self.strides], slice(None)]
        view = view[(*starts, *[slice(None, None, d) for d in self.dilations])]
        return np.moveaxis(view, 1 + n, -1)

    def valid(self, shape: tuple[int, ...]) -> Any:
        """How many elements of each window lie inside an x of that shape: [windows..]."""
        ones = np.ones((1, *shape[1:-1], 1), np.int64)
        return self.patches(ones, 0).sum(axis=tuple(range(1 + len(self.kernel), 2 + 2 * len(self.kernel))))[0]

    def in_order(self, shape: tuple[int, ...], x_bytes: int, y_bytes: int) -> bool:
        """Whether results of ``y_bytes`` a window may be written from the first byte of an x of that ``shape`` and
        ``x_bytes`` a position on, window after window, channels in order: nothing is overwritten that is still read."""
        image = self.image()
        size = shape[1:-1] if len(shape) == 4 else (1, *shape[1:-1])
        counts = image.counts((1, *size, 1))
        starts = [np.arange(n) * s - p for n, s, p in zip(counts, image.strides, image.pads[:2], strict=True)]
        # the first row and column that each window has inside x; one that has none reads nothing
        rows, columns = (np.where(s < 0, s % d, s) for s, d in zip(starts, image.dilations, strict=True))
        first = (rows[:, None] * size[1] + columns).reshape(-1)
        later = np.minimum.accumulate(np.append(first[1:], prod(size))[::-1])[::-1]
        at = np.arange(len(first))
        own = (at * y_bytes <= first * x_bytes) & ((at + 1) * y_bytes <= (first + 1) * x_bytes)
        return bool((own & ((at + 1) * y_bytes <= later * x_bytes)).all())

    def image(self) -> Windows:
        """The same over two axes: one axis becomes the width of an image of height 1."""
        if len(self.kernel) == 2:
            return self
        (before, after) = self.pads
        return Windows((1, *self.kernel), (1, *self.strides), (1, *self.dilations), (0, before, 0, after))

    @property
    def size(self) -> int:
        """Elements of a window, a channel."""
        return prod(self.kernel)


class WindowFields(Op):
    """The attributes of an op with windows."""

    strides = attribute[list[int]]()
    dilations = attribute[list[int]]()
    pads = attribute[list[int]]()


class ChannelWindows(WindowFields):
    """Base of the ops whose channels do not mix: y may lie over x where no window reads what one before it wrote."""

    inplace = {"y": ("x",)}

    def windows(self) -> Windows:
        """The op's geometry."""
        raise NotImplementedError

    def may_cover(self, result: Value, over: Value) -> bool:
        widths = [v.shape[-1] * v.type.dtype.size for v in (over, result)]
        same_channels = over.shape[-1] == result.shape[-1]
        return same_channels and result.type.nbytes > 0 and self.windows().in_order(over.shape, *widths)
