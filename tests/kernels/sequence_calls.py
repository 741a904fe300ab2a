"""Calls of the portable kernels that run along a sequence: scans, running sums, convolutions over time."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from emberc.ir.ops import integer_conv, integer_rows, integer_scan, integer_stream
from tests.kernels.library import call
from tests.kernels.structs import fields, fill

Arrays = list[Any]


def _depthwise_rows(op: integer_rows.DepthwiseRows, a: Arrays, y: Any) -> None:
    x, w, bias, m = a
    p = fill(
        "ember_depthwise_rows_params",
        w=w,
        bias=bias,
        m=m,
        batches=x.shape[0],
        x_rows=x.shape[1],
        channels=x.shape[2],
        taps=w.shape[0],
        **fields(op, "rows before dilation zx shift zero_point"),
    )
    call(op.kernel(), x, y, p)


def _selective_scan(op: integer_scan.SelectiveScan, a: Arrays, y: Any, state: Any) -> None:
    x, v, b, c, softplus, decay, log_a, mu, skip, my, z, gate, mo, initial = a
    p = fill(
        "ember_selective_scan_params",
        softplus=softplus,
        decay=decay,
        log_a=log_a,
        mu=mu,
        skip=skip,
        my=my,
        gate=gate,
        mo=mo,
        batches=prod(x.shape[:-2]),
        steps=x.shape[-2],
        channels=x.shape[-1],
        heads=v.shape[-1],
        states=state.shape[-1],
        levels=softplus.size,
        log_a_step=int(log_a.shape[-1] > 1),
        **fields(op, "groups zx"),
    )
    call(op.kernel(), x, v, b, c, z, initial, y, state, None, p)


def _causal_conv(op: integer_conv.CausalConv, a: Arrays, y: Any, tail: Any) -> None:
    x, w, bias, m, table, initial, curve = a
    p = fill(
        "ember_causal_conv_params",
        w=w,
        bias=bias,
        m=m,
        table=table,
        curve=curve,
        levels=op.levels,
        batches=prod(x.shape[:-2]),
        rows=x.shape[-2],
        channels=x.shape[-1],
        taps=w.shape[0],
        **fields(op, "zx shift zero_point"),
    )
    call(op.kernel(), x, initial, y, tail, None, p)


def _running_sum(op: integer_stream.RunningSum, a: Arrays, y: Any, total: Any) -> None:
    x, initial = a
    s, i = x.shape, op.axis
    p = fill(
        "ember_running_sum_params",
        outer=prod(s[:i]),
        length=s[i],
        inner=prod(s[i + 1 :]),
        **fields(op, "zx m shift zero_point"),
    )
    call(op.kernel(), x, initial, y, total, p)


SEQUENCE_CALLS: dict[str, Callable[..., None]] = {
    "q.depthwise_rows": _depthwise_rows,
    "q.selective_scan": _selective_scan,
    "q.causal_conv": _causal_conv,
    "q.running_sum": _running_sum,
}
