"""The cases of ``emberc bench kernels``: the shapes by which kernels are compared, on seeded random data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from emberc.bench.case import Case
from emberc.bench.packed import packed_matmul
from emberc.bench.recurrences import causal_conv, cell, selective_scan
from emberc.errors import UsageError
from emberc.ir.arithmetic import exp2_table, softmax_table
from emberc.ir.op import Op
from emberc.ir.ops.integer_attention import Attention
from emberc.ir.ops.integer_cells import Gru, Lstm
from emberc.ir.ops.integer_convolution import Conv
from emberc.ir.ops.integer_elementwise import Add, Mul, Requantize
from emberc.ir.ops.integer_embed import Embed
from emberc.ir.ops.integer_matmul import BatchMatmul, Matmul
from emberc.ir.ops.integer_norm import LayerNorm, Softmax
from emberc.ir.ops.integer_table import Table, Table16
from emberc.ir.ops.integer_window import Depthwise, PoolMax, PoolMean
from emberc.ir.types import Array, DType, TensorType
from emberc.ir.values import Constant, Value
from emberc.quant.norm import Reals, narrow_gains, wide_gains

Rng = np.random.Generator

MATMULS = ((128, 128, 128), (128, 512, 128), (64, 64, 64), (1, 256, 1024), (100, 80, 160))
ROWS = ((128, 128), (256, 64))
_BITS = {"i8": 8, "i16": 16}


def value(array: Array) -> Value:
    """A run-time operand with the type of ``array``."""
    return Value(TensorType(DType.of(array.dtype), array.shape))


def constant(data: Any, dtype: Any = np.int32) -> Constant:
    """A compile-time operand."""
    return Constant(np.asarray(data, dtype))


def tensor(rng: Rng, dtype: str, *shape: int) -> Array:
    """Random integers over the whole range of "i8" or "i16"."""
    top = 1 << (_BITS[dtype] - 1)
    return rng.integers(-top, top, shape).astype(f"int{_BITS[dtype]}")


def matmul(m: int, k: int, n: int, x: str = "i8", y: str = "i8", *, table: bool = False, seed: int = 0) -> Case:
    """A q.matmul whose results spread over the output type."""
    rng = np.random.default_rng(seed)
    rows = tensor(rng, x, m, k)
    w = rng.integers(-127, 128, (n, k)).astype(np.int8)
    spread = 73.0 * np.sqrt(k) * (1 << (_BITS[x] - 1)) * 0.58
    top = 1 << ((8 if table else _BITS[y]) - 1)
    m_ = np.rint(rng.uniform(0.5, 1.0, n) * top / 2 / spread * 2.0**32)
    shift = 0
    while m_.max() >= 1 << 31:
        shift, m_ = shift + 1, np.rint(m_ / 2)
    if x == "i16":
        shift = -8
        m_ = np.minimum(m_ * 2.0**8, (1 << 31) - 1)
    bias = rng.integers(-1000, 1000, n)
    entries = constant(tensor(rng, y, 256), f"int{_BITS[y]}") if table else None
    op = Matmul(value(rows), constant(w, np.int8), constant(bias), constant(m_), entries, shift=shift, dtype=y)
    return Case(op, {"x": rows}, f"{m},{k},{n}")


def attention(
    q_rows: int, keys: int, heads: int, head_dim: int, x: str = "i8", *, masked: bool = False, seed: int = 0
) -> Case:
    """A q.attention over one packed q, k, v; of int16 operands the result is int16 too."""
    rng = np.random.default_rng(seed)
    width = heads * head_dim
    q, k, v = (tensor(rng, x, 1, rows, width) for rows in (q_rows, keys, keys))
    mask = rng.integers(0, 4, (1, 1, 1, keys)).astype(np.bool_) if masked else None
    table = exp2_table(min(4095, (2**31 - 1) // (128 * keys)))
    op = Attention(
        value(q), value(k), value(v), constant(table, np.int16), None if mask is None else value(mask),
        heads=heads, head_dim=head_dim, m_score=1 << 22, c_out=3 << 30, shift_out=0, dtype=x,
        shift_score=0 if x == "i8" else -16,
    )  # fmt: skip
    feeds = {"q": q, "k": k, "v": v} | ({"mask": mask} if mask is not None else {})
    return Case(op, feeds, f"{q_rows},{head_dim},{keys}" + (f" x{heads}" if heads > 1 else ""))


def layer_norm(rows: int, n: int, x: str = "i8", y: str = "i8", *, center: bool = True, seed: int = 0) -> Case:
    """A q.layer_norm with gamma about 1 and beta about 0."""
    rng = np.random.default_rng(seed)
    data = tensor(rng, x, rows, n)
    op = norm_of(data, rng.uniform(0.5, 1.5, n), rng.normal(0, 0.3, n), y, eps=n * n, center=center)
    return Case(op, {"x": data}, f"{rows},{n}")


def norm_of(x: Array, gamma: Reals, beta: Reals, y: str, *, eps: int = 0, center: bool = True) -> LayerNorm:
    """A q.layer_norm whose results reach 6 standard deviations of a row (12 for int16) at the ends of their type."""
    scale = 6 / 127 if y == "i8" else 12 / 32767
    g, b = gamma / scale, beta / scale
    gains = narrow_gains(g, b, center=center, fewest_bits=1) if y == "i8" else wide_gains(g, b)
    assert gains is not None
    parts = (constant(part, gains.dtype.numpy) for part in (gains.gamma, gains.beta))
    return LayerNorm(value(x), *parts, eps=eps, center=center, out_shift=gains.out_shift, dtype=y)


def softmax(rows: int, n: int, *, seed: int = 0) -> Case:
    """A q.softmax of rows of n."""
    data = tensor(np.random.default_rng(seed), "i8", rows, n)
    return Case(Softmax(value(data), constant(softmax_table(0.0625, n), np.uint16)), {"x": data}, f"{rows},{n}")


def _term(x: str, z: str) -> tuple[int, int]:
    """Multiplier and shift of a term of q.add that takes 0.6 of z's range, in 2^-6 steps."""
    s = 9 + _BITS[x] - _BITS[z]
    return 20000 >> max(0, s - 15), min(s, 15)


def add(rows: int, n: int, x: str = "i8", y: str = "i8", z: str = "i8", *, seed: int = 0) -> Case:
    """A q.add of two tensors of one shape."""
    rng = np.random.default_rng(seed)
    a, b = tensor(rng, x, rows, n), tensor(rng, y, rows, n)
    m1, s1 = _term(x, z)
    m2, s2 = _term(y, z)
    op = Add(value(a), value(b), m1=m1, s1=s1, m2=m2, s2=s2, c=200, frac=6, dtype=z)
    return Case(op, {"x": a, "y": b}, f"{rows},{n}")


def mul(rows: int, n: int, x: str = "i8", y: str = "i8", z: str = "i8", *, seed: int = 0) -> Case:
    """A q.mul of two tensors of one shape."""
    rng = np.random.default_rng(seed)
    a, b = tensor(rng, x, rows, n), tensor(rng, y, rows, n)
    m = (63 * 65 << 13) >> (_BITS[x] + _BITS[y] - 16)
    op = Mul(value(a), value(b), zx=3 if x == "i8" else 0, zy=-5 if y == "i8" else 0, m=m, zero_point=4, dtype=z)
    return Case(op, {"x": a, "y": b}, f"{rows},{n}")


def requantize(rows: int, n: int, x: str = "i8", y: str = "i8", *, seed: int = 0) -> Case:
    """A q.requantize to four fifths of y's range."""
    data = tensor(np.random.default_rng(seed), x, rows, n)
    s = 9 + _BITS[x] - _BITS[y]
    op = Requantize(value(data), m=27000 >> max(0, s - 16), s=min(s, 16), c=77, frac=6, dtype=y)
    return Case(op, {"x": data}, f"{rows},{n}")


def _same(kernel: int, stride: int) -> dict[str, Any]:
    """Geometry of a square window whose results are as large as x where the stride is 1."""
    return {"strides": [stride] * 2, "dilations": [1, 1], "pads": [kernel // 2] * 4}


def conv(size: int, channels: int, n: int, *, kernel: int = 3, stride: int = 1, seed: int = 0) -> Case:
    """A q.conv of a square image."""
    rng = np.random.default_rng(seed)
    x, w = tensor(rng, "i8", 1, size, size, channels), rng.integers(-127, 128, (n, kernel, kernel, channels))
    m = rng.uniform(0.5, 1.0, n) * 64 / (73 * 73 * np.sqrt(w[0].size)) * 2.0**32
    parts = constant(w, np.int8), constant(rng.integers(-1000, 1000, n)), constant(np.rint(m))
    op = Conv(value(x), *parts, zx=-3, **_same(kernel, stride))
    return Case(op, {"x": x}, f"{size}x{size}x{channels},{kernel}x{kernel}/{stride},{n}")


def depthwise(size: int, channels: int, *, stride: int = 1, seed: int = 0) -> Case:
    """A q.depthwise of a square image, windows of 3 x 3."""
    rng = np.random.default_rng(seed)
    x, w = tensor(rng, "i8", 1, size, size, channels), rng.integers(-127, 128, (3, 3, channels))
    parts = constant(w, np.int8), constant([0] * channels), constant(rng.integers(1 << 23, 1 << 24, channels))
    op = Depthwise(value(x), *parts, zx=-3, **_same(3, stride))
    return Case(op, {"x": x}, f"{size}x{size}x{channels},3x3/{stride}")


def pool(size: int, channels: int, kind: str, *, seed: int = 0) -> Case:
    """A pool of a square image, windows of 3 x 3, stride 2."""
    x = tensor(np.random.default_rng(seed), "i8", 1, size, size, channels)
    more: dict[str, Any] = {"kernel_shape": [3, 3], **_same(3, 2)}
    counts = constant(np.rint(2.0**32 / np.maximum(np.arange(10), 3) / 2))
    op = PoolMax(value(x), **more) if kind == "max" else PoolMean(value(x), counts, shift=1, **more)
    return Case(op, {"x": x}, f"{size}x{size}x{channels},3x3/2")


def table(rows: int, n: int, y: str = "i8", *, seed: int = 0) -> Case:
    """A q.table."""
    rng = np.random.default_rng(seed)
    data = tensor(rng, "i8", rows, n)
    op = Table(value(data), constant(tensor(rng, y, 256), f"int{_BITS[y]}"))
    return Case(op, {"x": data}, f"{rows},{n}")


def table16(rows: int, n: int, *, seed: int = 0) -> Case:
    """A q.table16."""
    rng = np.random.default_rng(seed)
    data = tensor(rng, "i16", rows, n)
    return Case(Table16(value(data), constant(tensor(rng, "i16", 513), np.int16)), {"x": data}, f"{rows},{n}")


def embed(rows: int, d: int, y: str = "i8", *, words: int = 200, seed: int = 0) -> Case:
    """A q.embed of words, positions and a constant row."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, words, (1, rows)).astype(np.int32)
    parts: list[Value] = []
    for entries, source in ((words, value(ids)), (rows, None)):
        parts += [constant(tensor(rng, "i8", entries, d), np.int8), constant(rng.integers(2000, 4000, d))]
        parts += [source] if source is not None else []
    frac = 13 if y == "i8" else 5
    bias = constant(rng.integers(-9000, 9000, d))
    op = Embed(bias, parts=parts, has_ids=[True, False], frac=frac, dtype=y)
    return Case(op, {"parts2": ids}, f"{rows},{d}")


def batch_matmul(
    m: int,
    k: int,
    n: int,
    a: str = "i8",
    y: str = "i8",
    *,
    transpose: bool = False,
    batches: int = 1,
    shared: bool = False,
    seed: int = 0,
) -> Case:
    """A q.batch_matmul whose results spread over the output type: scores with ``transpose``, else weighted sums."""
    rng = np.random.default_rng(seed)
    left = tensor(rng, a, batches, m, k)
    right = tensor(rng, "i8", 1 if shared else batches, *((n, k) if transpose else (k, n)))
    factor = 2.0 ** (_BITS[y] - 2) / (74 * np.sqrt(k) * 2.0 ** (_BITS[a] - 1) * 0.58) * 2.0**32
    shift = max(0, int(np.log2(factor)) - 29) if a == "i8" else -min(8, max(0, 30 - int(np.log2(factor))))
    op = BatchMatmul(
        value(left), value(right), za=5 if a == "i8" else 0, zb=-9, m=round(factor / 2.0**shift), shift=shift,
        zero_point=3, transpose_b=transpose, dtype=y,
    )  # fmt: skip
    note = f"{a} {y}{' transposed' if transpose else ''}{f' x{batches}' if batches > 1 else ''}"
    return Case(op, {"a": left, "b": right}, f"{m},{k},{n}" + (" QK" if transpose else " PV"), note=note)


def _all() -> list[tuple[Callable[..., Case], tuple[Any, ...], dict[str, Any]]]:
    entries: list[tuple[Callable[..., Case], tuple[Any, ...], dict[str, Any]]] = []

    def entry(build: Callable[..., Case], *args: Any, **options: Any) -> None:
        entries.append((build, args, options))

    for shape in MATMULS:
        entry(matmul, *shape)
    entry(matmul, 64, 128, 512, table=True)
    entry(matmul, 64, 128, 128, "i8", "i16")
    entry(matmul, 64, 128, 128, "i16", "i8")
    entry(matmul, 64, 128, 128, "i16", "i16")
    for bits, group in ((4, 32), (3, 128), (2, 16)):
        entry(packed_matmul, 32, 128, 128, bits, group)
    entry(packed_matmul, 32, 512, 128, 4, 32, "i16")
    entry(packed_matmul, 1, 128, 512, 4, 32)
    for q_rows, keys, heads, head_dim in ((64, 64, 1, 64), (64, 64, 2, 64), (128, 128, 2, 40)):
        entry(attention, q_rows, keys, heads, head_dim)
        entry(attention, q_rows, keys, heads, head_dim, "i16")
    for transpose in (True, False):
        for a, y in (("i8", "i8"), ("i8", "i16"), ("i16", "i8"), ("i16", "i16")):
            entry(batch_matmul, 64, 64, 64, a, y, transpose=transpose)
    for rows in ROWS:
        entry(softmax, *rows)
        entry(layer_norm, *rows)
        entry(layer_norm, *rows, "i16", "i8")
        entry(layer_norm, *rows, "i16", "i16")
    for x, y, z in (("i8", "i8", "i8"), ("i16", "i8", "i8"), ("i16", "i8", "i16"), ("i16", "i16", "i16")):
        entry(add, *ROWS[0], x, y, z)
        entry(mul, *ROWS[0], x, y, z)
    for x, y in (("i8", "i8"), ("i16", "i8"), ("i8", "i16"), ("i16", "i16")):
        entry(requantize, *ROWS[0], x, y)
    entry(conv, 16, 16, 32)
    entry(conv, 8, 64, 64)
    entry(conv, 16, 3, 16, stride=2)
    entry(depthwise, 16, 32)
    entry(pool, 16, 32, "max")
    entry(pool, 16, 32, "mean")
    entry(table, *ROWS[0])
    entry(table, *ROWS[0], "i16")
    entry(table16, *ROWS[0])
    entry(embed, 64, 128)
    entry(embed, 64, 128, "i16")
    entry(selective_scan, 32, 128, 16)
    entry(selective_scan, 32, 64, 6)
    entry(selective_scan, 32, 128, 64, heads=2, alike=True)
    for kind in (Lstm, Gru):
        entry(cell, kind, 1, 128, 128)
        entry(cell, kind, 32, 32, 64)
    entry(causal_conv, 32, 128, 4)
    entry(causal_conv, 32, 64, 4, table=0)
    entry(causal_conv, 64, 128, 32, table=0)
    return entries


SUITE = _all()


def suite(names: Sequence[str] = ()) -> list[Case]:
    """The cases whose portable kernel's name contains one of ``names``, all without names.

    Raises UsageError for a name that no kernel has.
    """
    cases = [build(*args, **options) for build, args, options in SUITE]
    known = [_portable_name(case.op) for case in cases]
    for name in names:
        if not any(name in k for k in known):
            raise UsageError(
                f"no kernel in the bench is called '{name}'", hints=[f"known: {', '.join(dict.fromkeys(known))}"]
            )
    return [c for c, k in zip(cases, known, strict=True) if not names or any(name in k for name in names)]


def _portable_name(op: Op) -> str:
    from emberc.backend.c.kernels import select_kernel

    return select_kernel(op, ("portable",)).function
