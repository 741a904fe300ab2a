"""Every integer op through emitter and kernel: the C gives the reference's bits, clean under the warnings of gcc and
clang, ASan and UBSan, on random inputs and on the extremes of their types."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from pathlib import Path

import numpy as np
import pytest

from backend.support import Net, compile_and_run, vectors, write
from emberc.backend.c.registry import EMITTERS
from emberc.ir.arithmetic import exp2_table, softmax_table
from emberc.ir.graph import Module
from emberc.ir.op import OPS
from emberc.ir.ops.integer_attention import Attention
from emberc.ir.ops.integer_compare import Compare, Logical, Nonzero, Where
from emberc.ir.ops.integer_conv import CausalConv
from emberc.ir.ops.integer_convolution import Conv
from emberc.ir.ops.integer_elementwise import Add, Mul, Requantize
from emberc.ir.ops.integer_embed import Embed
from emberc.ir.ops.integer_matmul import BatchMatmul, Matmul
from emberc.ir.ops.integer_movement import Concat, Expand, Gather, Pad, Reshape, Slice, Transpose
from emberc.ir.ops.integer_norm import LayerNorm, Softmax, Softmax16
from emberc.ir.ops.integer_reduce import ReduceMax, ReduceSum, TopK
from emberc.ir.ops.integer_scan import SelectiveScan
from emberc.ir.ops.integer_stream import Cache, RunningSum, Slide
from emberc.ir.ops.integer_table import Table, Table16
from emberc.ir.ops.integer_window import Depthwise, PoolMax, PoolMean
from emberc.ir.ops.remap import IntegerRemap
from emberc.ir.types import DType

CASES: dict[str, Callable[[], Module]] = {}


def case(build: Callable[[Net], None]) -> Callable[[Net], None]:
    def module() -> Module:
        net = Net()
        build(net)
        return net.module()

    CASES[build.__name__] = module
    return build


@case
def matmul(net: Net) -> None:
    x8, x16 = net.input("x8", DType.I8, 2, 3, 17), net.input("x16", DType.I16, 7, 129)
    table8, table16 = net.weights(256), net.const(net.random.integers(-9000, 9000, 256), np.int16)
    b, m = net.words(7, -5000, 5000), net.words(7, 1 << 20, 1 << 25)
    for dtype, table in (("i8", None), ("i16", None), ("i8", table8), ("i16", table16)):
        net.out(Matmul, x8, net.weights(7, 17), b, m, table, shift=3, zero_point=-5, dtype=dtype)
        net.out(Matmul, x16, net.weights(7, 129), b, m, table, shift=-2, zero_point=9, lo=-100, hi=90, dtype=dtype)
    net.out(Matmul, x8, net.weights(1, 17), net.words(1, 0, 1), net.words(1, 1 << 24, 1 << 25), lo=0)


@case
def remapped(net: Net) -> None:
    ids = net.const(net.random.integers(0, 70, (2, 5)), np.int32, "ids")
    bits = net.const(net.random.integers(0, 1 << 32, 3), np.uint32)
    net.out(IntegerRemap, ids, bits, net.const([0, 16, 33]), vocabulary=70, other=2)


@case
def packed(net: Net) -> None:
    x8, x16, ids = net.input("x8", DType.I8, 3, 17), net.input("x16", DType.I16, 7, 40), net.const([[3, 1, 4]])
    for bits, out in ((2, "i8"), (3, "i16"), (4, "i8")):
        b, m = net.words(19, -5000, 5000), net.words(19, 1 << 20, 1 << 25)
        net.out(Matmul, x8, net.packed(19, 17, bits, 8), b, m, None, shift=3, zero_point=-5, dtype=out)
        net.out(Matmul, x16, net.packed(19, 40, bits, 64), b, m, None, shift=-2, lo=-100, hi=90, dtype=out)
        parts = [net.packed(9, 21, bits, 16), net.words(1, 1, 9000), ids, net.weights(3, 21), net.words(21, 1, 9000)]
        net.out(Embed, net.words(21, -9, 9), parts, has_ids=[True, False], frac=10, dtype=out)


@case
def batch_matmul(net: Net) -> None:
    a8, a16 = net.input("a8", DType.I8, 2, 3, 17), net.input("a16", DType.I16, 2, 3, 17)
    b, shared = net.input("b", DType.I8, 2, 17, 7), net.weights(5, 17)
    for dtype in ("i8", "i16"):
        net.out(BatchMatmul, a8, b, za=-4, zb=3, m=1 << 24, shift=2, zero_point=1, dtype=dtype)
        net.out(BatchMatmul, a16, b, za=100, zb=-3, m=1 << 24, shift=-1, dtype=dtype)
    net.out(BatchMatmul, a8, shared, m=1 << 23, transpose_b=True)


@case
def attention(net: Net) -> None:
    qkv = net.input("qkv", DType.I8, 2, 7, 3 * 8)
    mask, ids = net.input("mask", DType.BOOL, 2, 1, 1, 7), net.input("rows", DType.BOOL, 1, 1, 7, 7)
    table = net.const(exp2_table(), np.int16, "exp2")
    scale = {"m_score": 1 << 23, "shift_score": 2, "c_out": 3 << 30, "shift_out": 0, "zero_point": -3}
    common = {"heads": 2, "head_dim": 4, **scale}
    packed = {**common, "k_offset": 8, "v_offset": 16}
    net.out(Attention, qkv, qkv, qkv, table, mask, **packed)
    net.out(Attention, qkv, qkv, qkv, table, ids, **packed)
    net.out(Attention, qkv, qkv, qkv, table, None, **packed, causal=True, dtype="i16")
    query, kv = net.input("query", DType.I8, 1, 1, 8), net.input("kv", DType.I8, 1, 17, 4)
    net.out(Attention, query, kv, kv, table, None, **common, group=2)
    wide = net.input("wide", DType.I16, 1, 17, 8)
    net.out(Attention, wide, wide, wide, table, None, **(common | {"shift_score": -2}), dtype="i16")


@case
def norm(net: Net) -> None:
    x8, x16 = net.input("x8", DType.I8, 3, 17), net.input("x16", DType.I16, 1, 3, 129)
    for x, dtype, center in ((x8, "i8", True), (x8, "i16", False), (x16, "i8", True), (x16, "i16", True)):
        n = x.shape[-1]
        top, gains = (1 << 15, np.int16) if dtype == "i8" else (1 << 24, np.int32)
        gamma, beta = (net.const(net.random.integers(1 - end, end, n), gains) for end in (top, 9000))
        net.out(LayerNorm, x, gamma, beta, eps=37, center=center, dtype=dtype)
    net.out(Softmax, x8, net.const(softmax_table(0.05, 17), np.uint16))
    net.out(Softmax16, x16, net.const(exp2_table(4095, 256), np.int16), m=20000, shift=14)


@case
def elementwise(net: Net) -> None:
    x8, x16 = net.input("x8", DType.I8, 2, 3, 17), net.input("x16", DType.I16, 2, 3, 17)
    row, column = net.weights(17), net.const(net.random.integers(-9000, 9000, (3, 1)), np.int16)
    add = {"m1": 20000, "s1": 7, "m2": -3000, "s2": 4, "c": 1 << 9, "frac": 10}
    mul = {"zx": -3, "zy": 5, "m": 1 << 20, "shift": 0, "zero_point": 2}
    for dtype in ("i8", "i16"):
        for x, y in ((x8, x8), (x8, row), (x16, column), (x16, x8)):
            net.out(Add, x, y, **add, dtype=dtype)
            net.out(Mul, x, y, **mul, dtype=dtype)
        for x in (x8, x16):
            net.out(Requantize, x, m=-21000, s=3, c=77, frac=9, dtype=dtype)


@case
def logic(net: Net) -> None:
    x8, x16 = net.input("x8", DType.I8, 3, 17), net.input("x16", DType.I16, 3, 17)
    x32, flag = net.input("x32", DType.I32, 3, 17), net.input("flag", DType.BOOL, 3, 1)
    column = net.const([True, False, True] * 5 + [True, False], np.bool_, "column")
    for x in (x8, x16, x32, flag):
        net.out(Nonzero, x)
        net.out(Compare, x, x if x is flag else net.const(3, x.type.dtype.numpy), kind="eq" if x is flag else "gt")
    for kind in ("ne", "lt", "le", "ge"):
        net.out(Compare, x32, net.const([[0], [-5], [7]], np.int32), kind=kind)
    for kind in ("and", "or", "xor"):
        net.out(Logical, flag, column, kind=kind)
    net.out(Logical, flag, None, kind="not")
    net.out(Where, flag, x8, net.const(-7, np.int8))
    net.out(Where, column, x16, x16)
    net.out(Where, flag, x32, net.const(np.arange(17), np.int32))
    net.out(Where, flag, flag, column)


@case
def movement(net: Net) -> None:
    x8, x16, x32 = (net.input(f"x{d.size}", d, 2, 3, 7, 5) for d in (DType.I8, DType.I16, DType.I32))
    for x in (x8, x16, x32):
        net.out(Transpose, x, perm=[0, 2, 1, 3])
        net.out(Slice, x, starts=[1, 6], ends=[3, -1], axes=[1, 2], steps=[1, -2])
        net.out(Concat, xs=[x, x, net.add(Slice, x, starts=[0], ends=[1], axes=[2], steps=[1])], axis=2)
    net.out(Slice, x8, starts=[0], ends=[1], axes=[1], steps=[1])
    net.out(Expand, net.const([[1], [2], [3]], np.int8), shape=[2, 3, 5])
    net.out(Pad, x16, pads=[0, 1, 2, 0, 0, 0, 1, 3], value=-9.0)
    net.out(Reshape, net.add(Transpose, x32, perm=[3, 2, 1, 0]), shape=[210])
    net.out(Gather, x16, net.const([[2, -1], [0, 1]], np.int32, "picked"), axis=1)


@case
def reduce(net: Net) -> None:
    x8, x16 = net.input("x8", DType.I8, 3, 17, 5), net.input("x16", DType.I16, 3, 17)
    for dtype in ("i8", "i16"):
        net.out(ReduceSum, x8, axis=1, zx=-3, m=1 << 28, zero_point=4, dtype=dtype)
        net.out(ReduceSum, x16, axis=1, m=1 << 22, keepdims=True, dtype=dtype)
    net.out(ReduceMax, x8, axis=0)
    net.out(ReduceMax, x16, axis=1)
    net.outs(TopK, x8, k=2, axis=1, smallest=True)
    net.outs(TopK, x16, k=1, axis=1)
    net.outs(TopK, net.input("x32", DType.I32, 2, 9), k=9, axis=1, last=True)


@case
def windows(net: Net) -> None:
    x8, x16 = net.input("x8", DType.I8, 2, 5, 7, 6), net.input("x16", DType.I16, 1, 9, 4)
    image = {"strides": [2, 1], "dilations": [1, 2], "pads": [1, 0, 1, 3]}
    line = {"strides": [1], "dilations": [1], "pads": [2, 0]}
    small = {"zx": 5, "zero_point": -4}
    for dtype, table in (("i8", net.weights(256)), ("i16", None)):
        b, m = net.words(8, -5000, 5000), net.words(8, 1 << 20, 1 << 22)
        for groups in (1, 2):
            w = net.weights(8, 3, 2, 6 // groups)
            net.out(Conv, x8, w, b, m, table, groups=groups, **small, **image, dtype=dtype)
        net.out(Conv, x16, net.weights(8, 3, 4), b, m, None, shift=-1, **small, **line, dtype=dtype)
        for x, kernel, fields in ((x8, [3, 2], image), (x16, [3], line)):
            c = x.shape[-1]
            filters, b, m = net.weights(*kernel, c), net.words(c, -5000, 5000), net.words(c, 1 << 20, 1 << 22)
            net.out(Depthwise, x, filters, b, m, **small, **fields, dtype=dtype)
            counts = net.words(prod(kernel) + 1, 1 << 24, 1 << 26)
            net.out(PoolMean, x, counts, kernel_shape=kernel, **small, **fields, dtype=dtype)
    net.out(PoolMax, x8, kernel_shape=[3, 2], **{**image, "pads": [1, 0, 1, 1]})
    net.out(PoolMax, x16, kernel_shape=[3], **line)


@case
def table(net: Net) -> None:
    x8, x16 = net.input("x8", DType.I8, 3, 129), net.input("x16", DType.I16, 3, 17)
    net.out(Table, x8, net.weights(256))
    net.out(Table, x8, net.const(net.random.integers(-32768, 32768, 256), np.int16))
    net.out(Table16, x16, net.const(net.random.integers(-32768, 32768, 513), np.int16))


@case
def scan(net: Net) -> None:
    d, n, length = 12, 5, 7
    x, z = net.input("x", DType.I8, 2, length, d), net.input("z", DType.I8, 2, length, d)
    state, tail = net.input("state", DType.I16, 2, d, n), net.input("tail", DType.I8, 2, 3, d)
    mu, skip, my, mo = (net.words(d, -top, top) for top in (1 << 26, 1 << 18, 1 << 19, 1 << 20))
    softplus = net.const((net.random.integers(0, 1 << 20, 37) << 12) | net.random.integers(0, 400, 37), np.uint32)
    decay, gate = (net.const(net.random.integers(lo, 32768, k), np.int16) for lo, k in ((0, 800), (-32768, 256)))
    for heads, groups, columns in ((d, 1, n), (4, 2, 1)):
        v = net.input(f"v{heads}", DType.I16, 2, length, heads)
        b, c = (net.input(f"{name}{heads}", DType.I16, 2, length, groups * n) for name in "bc")
        a = net.const(net.random.integers(0, 400, (heads, columns)), np.uint16)
        common = {"zx": 3, "c_limit": 2000, "groups": groups}
        shared = [x, v, b, c, softplus, decay, a, mu, skip, my]
        net.outs(SelectiveScan, *shared, z, gate, mo, state, **common)
        net.outs(SelectiveScan, *shared, dtype="i16", **common)
    w, bias, m, table = net.weights(4, d), net.words(d, -900, 900), net.words(d, 1 << 24, 1 << 26), net.weights(1024)
    net.outs(CausalConv, x, w, bias, m, table, tail, zx=3, shift=4, zero_point=500)
    curves, curve = net.const(net.random.integers(-128, 128, (3, 100)), np.int8), net.const(np.arange(d) % 3, np.uint8)
    net.outs(CausalConv, x, w, bias, m, curves, None, curve, zx=3, shift=4, zero_point=50)
    net.outs(CausalConv, x, w, bias, m, None, zx=3, shift=2)
    net.outputs["one_tap"] = net.builder.add(CausalConv, x, net.weights(1, d), bias, m)[0]


@case
def stream(net: Net) -> None:
    x8, x16 = net.input("x8", DType.I8, 2, 3, 5), net.input("x16", DType.I16, 2, 3, 5)
    total = net.input("total", DType.I32, 2, 1, 5)
    for x in (x8, x16):
        for dtype in ("i8", "i16"):
            net.outs(RunningSum, x, total, axis=1, limit=40, m=1 << 24, shift=6, zx=-3, zero_point=4, dtype=dtype)
    cache = net.input("cache", DType.I8, 2, 9, 5)
    net.out(Cache, cache, x8, net.const([6]))
    net.out(Slide, cache, x8)
    net.out(Slide, net.input("turned", DType.I16, 2, 5, 7), net.input("column", DType.I16, 2, 5, 1), axis=2)
    net.out(Cache, net.input("wide", DType.I16, 2, 3, 5), x16, net.const([0]))


@pytest.mark.parametrize("name", CASES)
def test_the_c_gives_the_references_bits(name: str, tmp_path: Path) -> None:
    build = write(CASES[name](), tmp_path / "build")
    for compiler in ("gcc", "clang"):
        assert "ember: done vectors=4 mismatches=0 errors=0" in compile_and_run(build, compiler)


def test_an_embedding_gives_the_references_bits(tmp_path: Path) -> None:
    net = Net()
    ids, kinds = net.input("ids", DType.I32, 2, 7), net.input("kinds", DType.I32, 2, 7)
    word, position, kind = net.weights(129, 17), net.weights(7, 17), net.weights(2, 17)
    m, one = net.words(17, 1, 4000), net.words(1, 1, 4000)
    for dtype in ("i8", "i16"):
        parts = [word, m, ids, position, one, kind, m, kinds]
        net.out(Embed, net.words(17, -9000, 9000), parts=parts, has_ids=[True, False, True], frac=6, dtype=dtype)
    module = net.module()
    rng = np.random.default_rng(3)
    samples = [
        {"ids": rng.integers(0, 129, (2, 7)).astype(np.int32), "kinds": rng.integers(0, 2, (2, 7)).astype(np.int32)}
        for _ in range(3)
    ]
    samples += [{"ids": np.full((2, 7), i, np.int32), "kinds": np.full((2, 7), i > 0, np.int32)} for i in (0, 128)]
    build = write(module, tmp_path / "build", vectors(module, samples))
    assert "vectors=5 mismatches=0 errors=0" in compile_and_run(build)


def test_every_integer_op_has_an_emitter() -> None:
    run_by_kernels = [k for k, cls in OPS.items() if k.startswith("q.") and not (cls.is_view or cls.calls)]
    assert [k for k in run_by_kernels if k not in EMITTERS] == []
