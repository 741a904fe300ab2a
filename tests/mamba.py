"""A Mamba of any size as float IR, with random weights drawn as its authors initialise them.

It stands for what importing and recovering an exported model gives: the equations of Gu and Dao, 2023, with a
classifier or a language model's head.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import emberc.ir.ops  # noqa: F401 (registers the ops)
from emberc.ir.builder import Builder
from emberc.ir.graph import Function, Module
from emberc.ir.op import op_class
from emberc.ir.types import Array, DType, TensorType
from emberc.ir.values import Value


@dataclass(frozen=True)
class Config:
    """``head``: "rms" pools over time, sqrt(mean of x^2), before the classifier; "mean" and "last" pool too; "" gives
    outputs for every step."""

    vocabulary: int = 50
    d: int = 16
    inner: int = 32
    states: int = 4
    layers: int = 2
    length: int = 24
    rank: int = 4
    taps: int = 4
    heads: int = 0
    classes: int = 3
    head: str = "rms"


#: the 2 MB build of MODELS.md
SMALL = Config(vocabulary=2048, d=64, inner=64, states=6, layers=5, length=256, classes=2)


def mamba(config: Config = Config(), seed: int = 0) -> Module:
    """The float module: ``input_ids`` [1, L] in, ``y`` out."""
    return _Mamba(config, seed).build()


class _Mamba:
    def __init__(self, config: Config, seed: int) -> None:
        self.c, self.random, self.b = config, np.random.default_rng(seed), Builder(fold=False)

    def emit(self, code: str, *operands: Value | None, **attrs: object) -> Value:
        return self.b.emit(op_class(code), *operands, **attrs)

    def const(self, array: Array, name: str) -> Value:
        return self.b.const(np.asarray(array, np.float32), name)

    def linear(self, x: Value, n: int, name: str, bias: Array | None = None, gain: float = 1.0) -> Value:
        k = x.shape[-1]
        w = self.random.uniform(-gain, gain, (n, k)) / np.sqrt(k)
        return self.emit("f.linear", x, self.const(w, name), None if bias is None else self.const(bias, f"{name}.bias"))

    def norm(self, x: Value, name: str) -> Value:
        gain = self.const(self.random.uniform(0.7, 1.3, x.shape[-1]), name)
        return self.emit("f.rms_norm", x, gain, eps=1e-5, axis=2)

    def columns(self, x: Value, first: int, last: int) -> Value:
        return self.emit("f.slice", x, starts=[first], ends=[last], axes=[2], steps=[1])

    def block(self, u: Value, i: int) -> Value:
        c, random = self.c, self.random
        self.b.loc = f"/layers.{i}"
        both = self.linear(self.norm(u, f"norm{i}"), 2 * c.inner, f"in_proj{i}", gain=1.7)
        x, z = self.columns(both, 0, c.inner), self.columns(both, c.inner, 2 * c.inner)
        taps = self.const(random.uniform(-0.5, 0.5, (c.taps, c.inner)), f"conv{i}")
        bias = self.const(random.uniform(-0.5, 0.5, c.inner), f"conv{i}.bias")
        x = self.b.add(op_class("f.causal_conv"), x, taps, bias, silu=True)[0]
        low = self.linear(x, c.rank + 2 * c.states, f"x_proj{i}", gain=1.7)
        heads = c.heads or c.inner
        start = np.exp(random.uniform(np.log(1e-3), np.log(0.1), heads))
        delta = self.linear(self.columns(low, 0, c.rank), heads, f"dt_proj{i}", start + np.log(-np.expm1(-start)))
        b = self.columns(low, c.rank, c.rank + c.states)
        cc = self.columns(low, c.rank + c.states, c.rank + 2 * c.states)
        a = -np.arange(1, c.states + 1) * np.ones((heads, 1)) if not c.heads else -random.uniform(1, 16, (heads, 1))
        skip = self.const(np.ones(c.inner), f"skip{i}")
        y = self.b.add(op_class("f.selective_scan"), x, delta, self.const(a, f"a{i}"), b, cc, skip, z)[0]
        return self.emit("f.add", self.linear(y, c.d, f"out_proj{i}"), u)

    def head(self, x: Value) -> Value:
        kind = self.c.head
        if kind == "rms":
            x = self.emit(
                "f.sqrt", self.emit("f.reduce", self.emit("f.mul", x, x), kind="mean", axes=[1], keepdims=False)
            )
        elif kind == "mean":
            x = self.emit("f.reduce", x, kind="mean", axes=[1], keepdims=False)
        elif kind == "last":
            x = self.emit("f.slice", x, starts=[self.c.length - 1], ends=[self.c.length], axes=[1], steps=[1])
        return self.linear(x, self.c.classes, "head", self.random.standard_normal(self.c.classes))

    def build(self) -> Module:
        c = self.c
        ids = Value(TensorType(DType.I64, (1, c.length)), "input_ids")
        table = self.const(self.random.standard_normal((c.vocabulary, c.d)), "embedding")
        x = self.emit("f.embed", [ids, table])  # type: ignore[list-item]
        for i in range(c.layers):
            x = self.block(x, i)
        y = self.head(self.norm(x, "norm_f"))
        return Module("mamba", {"main": Function("main", [ids], self.b.ops, {"y": y})})
