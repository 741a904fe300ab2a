"""Packed constants: the definition element by element, the text form, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emberc.errors import EmberError, VerifyError
from emberc.ir.graph import Function, Module
from emberc.ir.ops.integer_matmul import Matmul
from emberc.ir.packed import Packed, pack_codes
from emberc.ir.parser import parse_module
from emberc.ir.printer import print_module, side_data
from emberc.ir.types import DType, TensorType
from emberc.ir.values import Constant, Value


def make(bits: int, rows: int, columns: int, group: int, seed: int = 0) -> tuple[Packed, Any]:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 1 << bits, (rows, columns)).astype(np.uint8)
    codebook = rng.integers(-128, 128, 1 << bits).astype(np.int8)
    gains = rng.integers(0, 129, (rows, -(-columns // group))).astype(np.uint8)
    return Packed(bits, columns, group, pack_codes(codes, bits), codebook, gains), codes


@pytest.mark.parametrize("bits", [2, 3, 4])
@pytest.mark.parametrize("columns", [1, 3, 7, 8, 17, 129])
def test_elements_are_the_formula(bits: int, columns: int) -> None:
    form, codes = make(bits, 3, columns, 16)
    got = form.unpacked()
    assert got.dtype == np.int8 and got.shape == form.shape == (3, columns)
    for r in range(3):
        row = int.from_bytes(form.codes[r].tobytes(), "little")
        for k in range(columns):
            code = row >> (k * bits) & ((1 << bits) - 1)
            assert code == codes[r, k]
            assert got[r, k] == (int(form.codebook[code]) * int(form.gains[r, k // 16]) + 64) >> 7
    assert form.nbytes == 3 * bits * -(-columns // 8) + (1 << bits) + 3 * -(-columns // 16)


def test_a_full_gain_leaves_the_codebook_as_it_is() -> None:
    book = np.array([-128, -1, 0, 127], np.int8)
    form = Packed(2, 4, 8, pack_codes(np.arange(4, dtype=np.uint8)[None], 2), book, np.array([[128]], np.uint8))
    assert form.unpacked().tolist() == [book.tolist()]


def module(form: Packed) -> Module:
    n, k = form.shape
    x = Value(TensorType(DType.I8, (2, k)), "x")
    words = [Constant(np.full(n, v, np.int32), name) for v, name in ((5, "b"), (1 << 23, "m"))]
    op = Matmul(x, Constant.unpack(form, "w"), *words)
    return Module("m", {"main": Function("main", [x], [op], {"y": op.result})})


@pytest.mark.parametrize(("rows", "columns"), [(2, 3), (17, 40)])
def test_text_form_round_trip(rows: int, columns: int) -> None:
    first = module(make(3, rows, columns, 8)[0])
    text, side = print_module(first), side_data(first)
    assert "packed(3, group=8)" in text
    again = parse_module(text, side)
    assert print_module(again) == text and side_data(again) == side
    form, want = again.main.ops[0].operands[1].packed, first.main.ops[0].operands[1].packed
    assert form is not None and want is not None
    assert np.array_equal(form.unpacked(), want.unpacked()) and form.nbytes == want.nbytes


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("packed(3", "packed(5"), ("group=8", "group=0"), ("group=8", "group=12"), ("%w : i8[2, 3]", "%w : i16[2, 3]"),
     (" packed(3, group=8)", ""), ("%w : i8[2, 3]", "%w : i8[2, 30]")],
)  # fmt: skip
def test_text_that_does_not_fit_is_refused(old: str, new: str) -> None:
    first = module(make(3, 2, 3, 8)[0])
    text = print_module(first)
    assert text.count(old) == 1
    with pytest.raises(EmberError):
        parse_module(text.replace(old, new), side_data(first))


def test_what_no_kernel_could_unpack_is_refused() -> None:
    form, _ = make(2, 2, 9, 8)
    parts = {f: getattr(form, f) for f in ("bits", "columns", "group", "codes", "codebook", "gains")}
    for change, problem in (
        ({"bits": 5}, "5 bits"),
        ({"group": 12}, "multiple of 8"),
        ({"columns": 30}, "codes misshapen"),
        ({"codebook": form.codebook[:3]}, "codebook"),
        ({"gains": form.gains.astype(np.int8)}, "gains"),
        ({"gains": np.full_like(form.gains, 129)}, "a gain of 129"),
    ):
        with pytest.raises(VerifyError, match=problem):
            Packed(**{**parts, **change})
    with pytest.raises(VerifyError, match="unpacks to"):
        Constant(form.unpacked() ^ 1, packed=form)
