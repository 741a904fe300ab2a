"""Row operations on Armv7E-M: the cases of ``row_cases.py``, and what is left to the portable kernels."""

from __future__ import annotations

import numpy as np
import pytest

from emberc.bench import Case
from emberc.bench.suite import add, constant, embed, layer_norm, mul, requantize, softmax, table, table16, value
from emberc.ir.arithmetic import softmax_table
from emberc.ir.ops.integer_elementwise import Add, Mul
from emberc.ir.ops.integer_norm import LayerNorm, Softmax
from tests.kernels.boards import assert_exact, assert_exact_anywhere, same_kernels
from tests.kernels.row_cases import embeddings, interpolations, lookups, norms, products, rescalings, sums

pytestmark = pytest.mark.board


@pytest.mark.parametrize("core", same_kernels("cortex-m4", "cortex-m7", "cortex-m33"))
def test_rows(core: str) -> None:
    assert_exact(core, [*norms(), *sums()])
    assert_exact(core, [*products(), *lookups()])
    assert_exact(core, [*rescalings(), *interpolations(), *embeddings()])


def test_they_run_on_the_fast_kernels() -> None:
    assert_exact("cortex-m4", [layer_norm(2, 20)], kernel="ember_layer_norm_s8_armv7em")
    assert_exact("cortex-m4", [layer_norm(2, 20, "i16")], kernel="ember_layer_norm_s16_s8_armv7em")
    assert_exact("cortex-m4", [layer_norm(2, 20, "i8", "i16")], kernel="ember_layer_norm_s8_s16_armv7em")
    assert_exact("cortex-m4", [layer_norm(2, 20, "i16", "i16")], kernel="ember_layer_norm_s16_armv7em")
    assert_exact("cortex-m4", [add(2, 20, "i16", "i8", "i16")], kernel="ember_add_s16s8_armv7em")
    assert_exact("cortex-m4", [mul(2, 20, "i16", "i8", "i16")], kernel="ember_mul_s16s8_armv7em")
    assert_exact("cortex-m4", [softmax(2, 20)], kernel="ember_softmax_s8_armv7em")
    assert_exact("cortex-m4", [table(2, 20, "i16")], kernel="ember_table_s8_s16_armv7em")
    assert_exact("cortex-m4", [table16(2, 20)], kernel="ember_table16_s16_armv7em")
    assert_exact("cortex-m4", [requantize(2, 20, "i16")], kernel="ember_requantize_s16_s8_armv7em")
    assert_exact("cortex-m4", [embed(2, 20, "i16")], kernel="ember_embed_s16_armv7em")


def test_what_their_immediates_do_not_fit_goes_to_the_portable_kernels() -> None:
    x, y = np.zeros((2, 3), np.int8), np.zeros((1, 3), np.int8)
    terms = {"m1": 1, "s1": 0, "m2": 1, "s2": 0, "c": 0}
    sums = [Add(value(x), value(x), **terms, frac=5), Add(value(x), value(y), **terms, frac=6)]
    sums.append(Add(value(x), value(x), **(terms | {"m1": 1 << 15}), frac=6))
    assert_exact("cortex-m4", [Case(sums[0], {"x": x, "y": x}, "2,3")], kernel="ember_add_s8")
    assert_exact("cortex-m4", [Case(sums[1], {"x": x, "y": y}, "2,3")], kernel="ember_add_s8")
    assert_exact("cortex-m4", [Case(sums[2], {"x": x, "y": x}, "2,3")], kernel="ember_add_s8")
    small = Softmax(value(x), constant(np.minimum(softmax_table(0.1, 3), 1023), np.uint16))
    assert_exact("cortex-m4", [Case(small, {"x": x}, "2,3")], kernel="ember_softmax_s8")
    wide = np.zeros((2, 3), np.int16)
    for operand, fields in ((x, {"shift": 1}), (wide, {"zx": 5})):
        op = Mul(value(operand), value(x), **fields, m=5)
        name = "ember_mul_s8" if operand is x else "ember_mul_s16s8_s8"
        assert_exact("cortex-m4", [Case(op, {"x": operand, "y": x}, "2,3")], kernel=name)
    norm = LayerNorm(value(x), constant([1 << 30] * 3), constant([0] * 3), out_shift=7, dtype="i16")
    assert_exact("cortex-m4", [Case(norm, {"x": x}, "2,3")], kernel="ember_layer_norm_s8_s16")


def test_plain_c_on_other_cores() -> None:
    assert_exact_anywhere("cortex-m4", [*norms(), *sums(), *products(), *lookups()])
    assert_exact_anywhere("cortex-m4", [*rescalings(), *interpolations(), *embeddings()])
