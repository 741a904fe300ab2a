"""q.matmul and q.embed on packed weights: the kernels unpack to the same bits as the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emberc.errors import UsageError
from emberc.ir.ops.integer_embed import Embed
from emberc.ir.ops.integer_matmul import PACKED_COLUMNS, Matmul, accumulator_bounds
from emberc.ir.packed import BLOCK, UNITY, Packed, pack_codes
from emberc.ir.types import DType
from emberc.ir.values import Constant
from tests.kernels.calls import OutOfRangeError, run_kernel
from tests.kernels.check import FILLS, INT8, INT16, SIZES, check, constant, headroom, tensor, value
from tests.kernels.structs import INCLUDE

BITS = (2, 3, 4)


def packed(rng: Any, rows: int, columns: int, bits: int, group: int, fill: str = "random") -> Constant:
    """Any codes, codebook and gains; the fills reach -128 and 127 at full gain."""
    codes = rng.integers(0, 1 << bits, (rows, columns)).astype(np.uint8)
    gains = rng.integers(0, UNITY + 1, (rows, -(-columns // group)))
    gains = gains if fill == "random" else np.full_like(gains, UNITY)
    codebook = tensor(rng, INT8, (1 << bits,), fill)
    return Constant.unpack(Packed(bits, columns, group, pack_codes(codes, bits), codebook, gains.astype(np.uint8)))


@pytest.mark.parametrize("types", [(i, o) for i in (INT8, INT16) for o in ("i8", "i16")])
@pytest.mark.parametrize("k", SIZES)
def test_packed_matmul(k: int, types: tuple[Any, str]) -> None:
    rng = np.random.default_rng(k)
    dtype, out = types
    for bits, group, rows, n in ((2, 8, 1, 1), (3, 16, 3, 7), (4, 32, 7, 17), (3, 256, 2, 129)):
        for fill in FILLS:
            w = packed(rng, n, k, bits, group, fill)
            x = tensor(rng, dtype, (rows, k), fill)
            bias = rng.integers(-(1 << 16), 1 << 16, n).astype(np.int32)
            shift = headroom(*accumulator_bounds(w.data, bias, DType.of(x.dtype)))
            m = rng.integers(-(1 << 23), 1 << 23, n).astype(np.int32)
            table = tensor(rng, INT8 if out == "i8" else INT16, (256,)) if fill == "mixed" else None
            tables = [] if table is None else [constant(table, table.dtype.type)]
            op = Matmul(value(x), w, constant(bias), constant(m), *tables, shift=shift, zero_point=-7, dtype=out)
            assert op.kernel().startswith("ember_packed_matmul_")
            check(op, x, w.data, bias, m, table)


def embed(rng: Any, rows: tuple[int, ...], d: int, out: str, bits: int, group: int) -> tuple[Embed, list[Any]]:
    """A packed word table with multipliers per column beside a plain table by position."""
    word, position = packed(rng, 50, d, bits, group), tensor(rng, INT8, (rows[-1], d))
    ms = [rng.integers(-30000, 30000, n).astype(np.int32) for n in (d, 1)]
    ids = rng.integers(0, 50, rows).astype(np.int32)
    bias = rng.integers(-(1 << 20), 1 << 20, d).astype(np.int32)
    parts = [word, constant(ms[0]), value(ids), constant(position, np.int8), constant(ms[1])]
    op = Embed(constant(bias), parts, has_ids=[True, False], frac=14 if out == "i8" else 6, dtype=out)
    return op, [bias, word.data, ms[0], ids, position, ms[1]]


@pytest.mark.parametrize("out", ["i8", "i16"])
@pytest.mark.parametrize("d", SIZES)
def test_packed_embed(d: int, out: str) -> None:
    rng = np.random.default_rng(d)
    for bits in BITS:
        for rows, group in (((1,), 8), ((2, 7), 24), ((1, 129), 136)):
            op, arrays = embed(rng, rows, d, out, bits, group)
            assert op.kernel() == f"ember_packed_embed_{out.replace('i', 's')}"
            check(op, *arrays)


@pytest.mark.parametrize("bad", [-1, 50])
def test_an_id_outside_a_packed_table(bad: int) -> None:
    op, arrays = embed(np.random.default_rng(1), (2, 3), 7, "i8", 3, 8)
    arrays[3] = arrays[3].copy()
    arrays[3][1, 2] = bad
    with pytest.raises(UsageError, match="50 rows"):
        op.run(*arrays)
    with pytest.raises(OutOfRangeError):
        run_kernel(op, arrays)


def test_blocks_are_those_of_the_header() -> None:
    header = (INCLUDE / "ember_packed.h").read_text(encoding="utf-8")
    assert f"#define EMBER_PACKED_COLUMNS {PACKED_COLUMNS}\n" in header and PACKED_COLUMNS % BLOCK == 0
