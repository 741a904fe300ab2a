"""Calls of the portable kernels of convolution and pooling."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from emberc.ir.ops.integer_convolution import Conv
from emberc.ir.ops.integer_window import Depthwise, PoolMax, PoolMean
from tests.kernels.library import aligned, call
from tests.kernels.structs import fill

Arrays = list[Any]


def _window(op: Conv | Depthwise | PoolMax | PoolMean, x: Any, y: Any) -> dict[str, int]:
    g = op.windows()
    flat = len(g.kernel) == 1
    sizes = {"kernel": g.kernel, "stride": g.strides, "dilation": g.dilations}
    found = {"batches": x.shape[0], "channels": x.shape[-1], "y_channels": y.shape[-1]}
    for prefix, a in (("", x), ("y_", y)):
        found |= {f"{prefix}height": 1 if flat else a.shape[1], f"{prefix}width": a.shape[-2]}
    for name, pair in sizes.items():
        found |= {f"{name}_height": 1 if flat else pair[0], f"{name}_width": pair[-1]}
    return {**found, "pad_top": 0 if flat else g.pads[0], "pad_left": g.pads[0 if flat else 1]}


def _conv(op: Conv, a: Arrays, y: Any) -> None:
    x, w, bias, m, table = a
    n, size = len(w) // op.groups, w.shape[-1]
    for g in range(op.groups):
        part = slice(g * n, (g + 1) * n)
        product = op.product(g)
        lo, hi = product.limits()
        matmul = fill(
            "ember_matmul_params", w=w[part], bias=bias[part], m=m[part], table=table, rows=op.tile_rows(),
            k=w[0].size, n=n, k_slice=product.k_slice(), shift=op.shift, zero_point=op.zero_point, lo=lo, hi=hi,
        )  # fmt: skip
        p = fill(
            "ember_conv_params", window=_window(op, x, y), matmul=ctypes.addressof(matmul), tile=op.tile_rows(),
            group_channels=size, first_channel=g * size, group_outputs=n, first_output=g * n, fill=op.zx, patches=0,
        )  # fmt: skip
        call(op.kernel(), x, y, aligned(op.scratch_bytes()), p)


def _depthwise(op: Depthwise, a: Arrays, y: Any) -> None:
    x, w, bias, m = a
    p = fill(
        "ember_depthwise_params", window=_window(op, x, y), w=w, bias=bias, m=m, zx=op.zx, shift=op.shift,
        zero_point=op.zero_point,
    )  # fmt: skip
    call(op.kernel(), x, y, p)


def _pool_max(op: PoolMax, a: Arrays, y: Any) -> None:
    call(op.kernel(), a[0], y, fill("ember_pool_max_params", window=_window(op, a[0], y)))


def _pool_mean(op: PoolMean, a: Arrays, y: Any) -> None:
    x, m = a
    scaling = {"zx": op.zx, "shift": op.shift, "zero_point": op.zero_point}
    call(op.kernel(), x, y, fill("ember_pool_mean_params", window=_window(op, x, y), m=m, **scaling))


WINDOW_CALLS: dict[str, Callable[[Any, Arrays, Any], None]] = {
    "q.conv": _conv,
    "q.depthwise": _depthwise,
    "q.pool_max": _pool_max,
    "q.pool_mean": _pool_mean,
}
