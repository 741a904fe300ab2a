"""One call of the portable kernel of an op instance: params from the op's fields, result as a numpy array.

This is a second, independent reading of the headers beside the C backend's emitters.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from emberc.ir.arithmetic import norm_unit
from emberc.ir.op import Op
from emberc.ir.ops import (
    integer_attention,
    integer_compare,
    integer_elementwise,
    integer_embed,
    integer_index,
    integer_matmul,
    integer_movement,
    integer_norm,
    integer_reduce,
    integer_stream,
    integer_table,
    remap,
)
from emberc.ir.strides import broadcast_strides, copies
from tests.kernels.cell_calls import CELL_CALLS
from tests.kernels.library import aligned, call
from tests.kernels.packed_calls import packed_embed, packed_matmul
from tests.kernels.sequence_calls import SEQUENCE_CALLS
from tests.kernels.structs import fields, fill
from tests.kernels.window_calls import WINDOW_CALLS

Arrays = list[Any]
#: Bytes behind each result that must stay as they are.
GUARD = 16


class OutOfRangeError(Exception):
    """A kernel returned EMBER_ERR_RANGE."""


def run_kernel(op: Op, arrays: Arrays, inplace: int | None = None) -> Any:
    """The op of one result by its C kernel; with ``inplace`` the result overwrites a copy of that operand, narrower
    elements from its first byte on."""
    (y,) = run_results(op, arrays, {} if inplace is None else {0: inplace})
    return y


def run_results(op: Op, arrays: Arrays, inplace: dict[int, int]) -> Arrays:
    """All results of an op by its C kernel; those named in ``inplace`` overwrite a copy of an operand."""
    held = [None if a is None else np.array(a, order="C") for a in arrays]
    held = [a.view(np.uint8) if a is not None and a.dtype == np.bool_ else a for a in held]
    types, buffers, results = [r.type for r in op.results], [], []
    for i, t in enumerate(types):
        kind = np.dtype(np.uint8 if t.dtype.value == "bool" else t.dtype.numpy)
        buffers.append(np.full(t.nbytes + GUARD, 0x55, np.uint8))
        own = buffers[i][: t.nbytes].view(kind).reshape(t.shape)
        over = held[inplace[i]].reshape(-1).view(np.uint8)[: t.nbytes] if i in inplace else None
        results.append(own if over is None else over.view(kind).reshape(t.shape))
    CALLS[op.opcode](op, held, *results)
    for t, buffer in zip(types, buffers, strict=True):
        assert (buffer[t.nbytes :] == 0x55).all(), f"{op.kernel()} writes behind its result"
    return [y.view(t.dtype.numpy) for t, y in zip(types, results, strict=True)]


def _ranged(status: int) -> None:
    if status:
        raise OutOfRangeError


def _broadcast(op: Op, *shapes: Any) -> tuple[list[int], list[list[int]]]:
    return broadcast_strides(op.results[0].shape, shapes)


def _pair(op: Op, x: Any, y: Any) -> dict[str, Any]:
    dims, (xs, ys) = _broadcast(op, x.shape, y.shape)
    return {"dims": dims, "xs": xs, "ys": ys}


def _matmul(op: integer_matmul.Matmul, a: Arrays, y: Any) -> None:
    if op.w.packed:
        packed_matmul(op, a, y)
        return
    x, w, bias, m, table = a
    lo, hi = op.limits()
    p = fill(
        "ember_matmul_params",
        w=w,
        bias=bias,
        m=m,
        table=table,
        rows=x.size // w.shape[1],
        k=w.shape[1],
        n=w.shape[0],
        k_slice=op.k_slice(),
        shift=op.shift,
        zero_point=op.zero_point,
        lo=lo,
        hi=hi,
    )
    call(op.kernel(), x, y, None, p)


def _batch_matmul(op: integer_matmul.BatchMatmul, a: Arrays, y: Any) -> None:
    left, right = a
    k, n = left.shape[-1], y.shape[-1]
    p = fill(
        "ember_batch_matmul_params",
        batches=prod(left.shape[:-2]),
        rows=left.shape[-2],
        k=k,
        n=n,
        b_batch=0 if prod(right.shape[:-2]) == 1 else k * n,
        b_k=1 if op.transpose_b else n,
        b_n=k if op.transpose_b else 1,
        za=op.za,
        zb=op.zb,
        m=op.m,
        shift=op.shift,
        zero_point=op.zero_point,
    )
    call(op.kernel(), left, right, y, p)


def _attention(op: integer_attention.Attention, a: Arrays, y: Any) -> None:
    q, k, v, table, mask, *bias = a
    batches, q_rows, kv_rows = prod(q.shape[:-2]), q.shape[-2], k.shape[-2]
    p = fill(
        "ember_attention_params",
        table=table,
        table_size=table.size,
        batches=batches,
        q_rows=q_rows,
        kv_rows=kv_rows,
        q_stride=q.shape[-1],
        k_stride=k.shape[-1],
        v_stride=v.shape[-1],
        mask_batch=0 if mask is None or mask.shape[0] == 1 else mask.shape[2] * kv_rows,
        mask_row=0 if mask is None or mask.shape[2] == 1 else kv_rows,
        causal=int(op.causal),
        **fields(op, "heads head_dim group q_offset k_offset v_offset"),
        **fields(op, "m_score shift_score c_out shift_out zero_point"),
    )
    call(op.kernel(), q, k, v, mask, *bias, y, aligned(op.scratch_bytes()), p)


def _cache(op: integer_stream.Cache, a: Arrays, y: Any) -> None:
    x, rows, position = a
    bytes_ = x.shape[2] * x.itemsize
    p = fill("ember_cache_params", batches=x.shape[0], capacity=x.shape[1], count=rows.shape[1], bytes=bytes_)
    _ranged(call(op.kernel(), x, rows, position, y, p))


def _slide(op: integer_stream.Slide, a: Arrays, y: Any) -> None:
    x, rows = a
    outer, new = prod(x.shape[: op.axis]), rows.nbytes
    p = fill("ember_slide_params", outer=outer, moved=(x.nbytes - new) // outer, bytes=new // outer)
    call(op.kernel(), x, rows, y, p)


def _layer_norm(op: integer_norm.LayerNorm, a: Arrays, y: Any) -> None:
    x, gamma, beta = a
    n = x.shape[-1]
    shape = fill(
        "ember_norm_rows",
        eps=op.eps,
        rows=x.size // n,
        n=n,
        frac=op.frac(),
        unit=norm_unit(n),
        out_shift=op.out_shift,
        center=int(op.center),
    )
    name = "ember_layer_norm_params" if op.dtype == "i8" else "ember_layer_norm_wide_params"
    call(op.kernel(), x, y, fill(name, gamma=gamma, beta=beta, shape=shape))


def _softmax(op: integer_norm.Softmax, a: Arrays, y: Any) -> None:
    x, table = a
    call(op.kernel(), x, y, fill("ember_softmax_params", table=table, rows=x.size // x.shape[-1], n=x.shape[-1]))


def _softmax16(op: integer_norm.Softmax16, a: Arrays, y: Any) -> None:
    x, table = a
    rows = {"rows": x.size // x.shape[-1], "n": x.shape[-1]}
    p = fill("ember_softmax16_params", table=table, table_size=table.size, **rows, **fields(op, "m shift"))
    call(op.kernel(), x, y, p)


def _add(op: integer_elementwise.Add, a: Arrays, z: Any) -> None:
    p = fill("ember_add_params", shape=_pair(op, *a), **fields(op, "m1 s1 m2 s2 c frac"))
    call(op.kernel(), *a, z, p)


def _mul(op: integer_elementwise.Mul, a: Arrays, z: Any) -> None:
    p = fill("ember_mul_params", shape=_pair(op, *a), **fields(op, "zx zy m shift zero_point"))
    call(op.kernel(), *a, z, p)


def _magnitude(op: Op, a: Arrays, z: Any) -> None:
    call(op.kernel(), *a, z, fill("ember_magnitude_params", count=z.size, **fields(op, "m zero_point")))  # type: ignore[attr-defined]


def _requantize(op: integer_elementwise.Requantize, a: Arrays, y: Any) -> None:
    call(op.kernel(), a[0], y, fill("ember_requantize_params", count=y.size, **fields(op, "m s c frac")))


def _table(op: Op, a: Arrays, y: Any) -> None:
    kind = "ember_table16_params" if isinstance(op, integer_table.Table16) else "ember_table_params"
    call(op.kernel(), a[0], y, fill(kind, table=a[1], count=y.size))  # type: ignore[attr-defined]


def _embed(op: integer_embed.Embed, a: Arrays, y: Any) -> None:
    if op.has_packed():
        _ranged(packed_embed(op, a, y))
        return
    bias, rest = a[0], iter(a[1:])
    parts, ids = [], []
    for has in op.has_ids:
        table, m = next(rest), next(rest)
        parts.append(fill("ember_embed_part", table=table, m=m, m_step=int(m.size > 1), vocabulary=table.shape[0]))
        ids.append(next(rest).ctypes.data if has else None)
    d = bias.size
    p = fill(
        "ember_embed_params",
        parts=(type(parts[0]) * len(parts))(*parts),
        bias=bias,
        count=len(parts),
        rows=y.size // d,
        d=d,
        frac=op.frac,
    )
    _ranged(call(op.kernel(), (ctypes.c_void_p * len(ids))(*ids), y, p))


def _copy(op: Op, a: Arrays, y: Any) -> None:
    if isinstance(op, integer_movement.Pad):
        call("ember_fill", y, fill("ember_fill_params", size=y.itemsize, count=y.size, value=int(op.value)))
    for x, c in zip(a, copies(op), strict=True):
        p = fill(
            "ember_copy_params",
            size=y.itemsize,
            dims=c.dims,
            xs=c.xs,
            ys=c.ys,
            x_offset=c.x_offset,
            y_offset=c.y_offset,
        )
        call("ember_copy", x, y, p)


def _remap(op: remap.IntegerRemap, a: Arrays, y: Any) -> None:
    ids, bits, counts = a
    p = fill("ember_remap_params", bits=bits, counts=counts, count=ids.size, vocabulary=op.vocabulary, other=op.other)
    _ranged(call("ember_remap_s32", ids, y, p))


def _gather(op: integer_movement.Gather, a: Arrays, y: Any) -> None:
    x, ids = a
    p = fill(
        "ember_gather_params",
        outer=prod(x.shape[: op.axis]),
        length=x.shape[op.axis],
        count=ids.size,
        block=prod(x.shape[op.axis + 1 :]) * x.itemsize,
    )
    _ranged(call("ember_gather", x, ids, y, p))


def _nonzero(op: integer_compare.Nonzero, a: Arrays, y: Any) -> None:
    call(op.kernel(), a[0], y, fill("ember_nonzero_params", count=y.size))


def _compare(op: integer_compare.Compare, a: Arrays, z: Any) -> None:
    kind = ["eq", "ne", "lt", "le", "gt", "ge"].index(op.kind)
    call(op.kernel(), *a, z, fill("ember_compare_params", shape=_pair(op, *a), kind=kind))


def _logical(op: integer_compare.Logical, a: Arrays, z: Any) -> None:
    x, y = a
    kind = ["and", "or", "xor", "not"].index(op.kind)
    p = fill("ember_logical_params", shape=_pair(op, x, x if y is None else y), kind=kind)
    call(op.kernel(), x, y, z, p)


def _where(op: integer_compare.Where, a: Arrays, z: Any) -> None:
    dims, (cs, xs, ys) = _broadcast(op, *(v.shape for v in a))
    call(op.kernel(), *a, z, fill("ember_where_params", shape={"dims": dims, "xs": xs, "ys": ys}, cs=cs))


def _reduced(op: integer_reduce.Reduce | integer_reduce.TopK, x: Any) -> dict[str, int]:
    return {
        "outer": prod(x.shape[: op.axis]),
        "length": x.shape[op.axis],
        "inner": prod(x.shape[op.axis + 1 :]),
    }


def _reduce_sum(op: integer_reduce.ReduceSum, a: Arrays, y: Any) -> None:
    p = fill("ember_reduce_sum_params", **_reduced(op, a[0]), **fields(op, "zx m shift zero_point"))
    call(op.kernel(), a[0], y, p)


def _reduce_max(op: integer_reduce.ReduceMax, a: Arrays, y: Any) -> None:
    call(op.kernel(), a[0], y, fill("ember_reduce_max_params", **_reduced(op, a[0])))


def _top_k(op: integer_reduce.TopK, a: Arrays, values: Any, positions: Any) -> None:
    p = fill("ember_top_k_params", **_reduced(op, a[0]), **fields(op, "k smallest last"))
    call(op.kernel(), a[0], values, positions, p)


def _index(op: integer_index.Index, a: Arrays, z: Any) -> None:
    kind = ["add", "sub", "mul", "min", "max"].index(op.kind)
    call(op.kernel(), *a, z, fill("ember_index_params", shape=_pair(op, *a), kind=kind))


def _cumsum(op: integer_index.Cumsum, a: Arrays, y: Any) -> None:
    s, i = a[0].shape, op.axis
    more = {"exclusive": int(op.exclusive), "reverse": int(op.reverse)}
    p = fill("ember_cumsum_params", outer=prod(s[:i]), length=s[i], inner=prod(s[i + 1 :]), **more)
    call(op.kernel(), a[0], y, p)


def _widen(op: integer_index.Widen, a: Arrays, y: Any) -> None:
    call("ember_widen", a[0], y, fill("ember_widen_params", count=y.size))


CALLS: dict[str, Callable[..., None]] = {
    "q.matmul": _matmul,
    "q.batch_matmul": _batch_matmul,
    "q.attention": _attention,
    "q.biased_attention": _attention,
    "q.cache": _cache,
    "q.slide": _slide,
    "q.layer_norm": _layer_norm,
    "q.softmax": _softmax,
    "q.softmax16": _softmax16,
    "q.add": _add,
    "q.mul": _mul,
    "q.requantize": _requantize,
    "q.magnitude": _magnitude,
    "q.table": _table,
    "q.table16": _table,
    "q.embed": _embed,
    "q.reshape": _copy,
    "q.transpose": _copy,
    "q.slice": _copy,
    "q.concat": _copy,
    "q.pad": _copy,
    "q.expand": _copy,
    "q.gather": _gather,
    "q.nonzero": _nonzero,
    "q.compare": _compare,
    "q.logical": _logical,
    "q.where": _where,
    "q.reduce_sum": _reduce_sum,
    "q.reduce_max": _reduce_max,
    "q.top_k": _top_k,
    "q.index": _index,
    "q.cumsum": _cumsum,
    "q.widen": _widen,
    "q.remap": _remap,
    **WINDOW_CALLS,
    **CELL_CALLS,
    **SEQUENCE_CALLS,
}
