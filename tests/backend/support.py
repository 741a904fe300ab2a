"""Hand-built integer modules, and what it takes to run their C on the host."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from emberc.backend.c import GoldenVector, HeaderInfo, emit, plan_for, write_files
from emberc.ir.builder import Builder
from emberc.ir.graph import Function, Module
from emberc.ir.interpreter import run_function
from emberc.ir.op import Op
from emberc.ir.packed import Packed, pack_codes
from emberc.ir.types import Array, DType, Quant, TensorType
from emberc.ir.values import Constant, Value
from emberc.ir.verifier import verify
from emberc.targets import load_target

INFO = HeaderInfo("0.1.0", "sha256:0123456789abcdef")
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-O1", "-g"]
SANITIZED = [*STRICT, "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


class Net:
    """Builds one function: inputs, constants, ops; every value that ``out`` gets is an output."""

    def __init__(self, seed: int = 0) -> None:
        self.builder = Builder(fold=False)
        self.inputs: list[Value] = []
        self.outputs: dict[str, Value] = {}
        self.random = np.random.default_rng(seed)

    def input(self, name: str, dtype: DType, *shape: int, quant: Quant | None = None) -> Value:
        self.inputs.append(Value(TensorType(dtype, shape, quant), name))
        return self.inputs[-1]

    def const(self, data: Any, dtype: Any = np.int32, name: str | None = None) -> Constant:
        return Constant(np.asarray(data, dtype), name)

    def weights(self, *shape: int, name: str | None = None) -> Constant:
        return self.const(self.random.integers(-127, 128, shape), np.int8, name)

    def packed(self, rows: int, columns: int, bits: int, group: int) -> Constant:
        """An int8 matrix in ``bits`` an element."""
        codes = self.random.integers(0, 1 << bits, (rows, columns)).astype(np.uint8)
        codebook = self.random.integers(-128, 128, 1 << bits).astype(np.int8)
        gains = self.random.integers(0, 129, (rows, -(-columns // group))).astype(np.uint8)
        return Constant.unpack(Packed(bits, columns, group, pack_codes(codes, bits), codebook, gains))

    def words(self, n: int, lo: int, hi: int, name: str | None = None) -> Constant:
        return self.const(self.random.integers(lo, hi, n), np.int32, name)

    def add(self, cls: type[Op], *operands: Any, loc: str = "", **fields: Any) -> Value:
        return self.builder.emit(cls, *operands, loc=loc or f"/{cls.opcode}_{len(self.builder.ops)}", **fields)

    def out(self, cls: type[Op], *operands: Any, **fields: Any) -> Value:
        """An op whose result is an output."""
        value = self.add(cls, *operands, **fields)
        self.outputs[f"y{len(self.outputs)}"] = value
        return value

    def outs(self, cls: type[Op], *operands: Any, **fields: Any) -> None:
        """An op all of whose results are outputs."""
        for value in self.builder.add(cls, *operands, loc=f"/{cls.opcode}_{len(self.builder.ops)}", **fields):
            self.outputs[f"y{len(self.outputs)}"] = value

    def module(self, name: str = "net") -> Module:
        module = Module(name, {"main": Function("main", self.inputs, self.builder.ops, self.outputs)})
        verify(module)
        return module


def extremes(value: Value, rng: np.random.Generator, fill: str) -> Array:
    """An array for an input: random, or all at one end of its type."""
    dtype = value.type.dtype
    if dtype is DType.BOOL:
        return (
            rng.integers(0, 2, value.shape).astype(np.bool_) if fill == "random" else np.full(value.shape, fill == "hi")
        )
    lo, hi = dtype.limits
    if fill == "random":
        return rng.integers(lo, hi + 1, value.shape).astype(dtype.numpy)
    return np.full(value.shape, lo if fill == "lo" else hi, dtype.numpy)


def vectors(module: Module, samples: list[Mapping[str, Array]] | None = None, seed: int = 1) -> list[GoldenVector]:
    """Golden vectors from the reference: the given samples, or random ones and the extremes of every input."""
    rng = np.random.default_rng(seed)
    if samples is None:
        fills = ("random", "random", "lo", "hi")
        samples = [{v.name or "": extremes(v, rng, fill) for v in module.main.inputs} for fill in fills]
    return [GoldenVector(s, run_function(module.main, s)) for s in samples]


def files_of(module: Module, golden: list[GoldenVector] | None = None) -> dict[str, str | bytes]:
    target = load_target("host")
    golden = vectors(module) if golden is None else golden
    return emit(module, plan_for(module.main, target), target=target, golden=golden, header_info=INFO, name=module.name)


def write(module: Module, folder: Path, golden: list[GoldenVector] | None = None) -> Path:
    write_files(files_of(module, golden), folder)
    return folder


def run(command: list[str], cwd: Path) -> str:
    """Runs a command that must succeed; its output."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def compile_and_run(folder: Path, compiler: str = "gcc") -> str:
    """Builds the golden test of a build directory in one go and runs it; its output.

    gcc adds ASan and UBSan; clang's runtime for them is a package of its own, its warnings are what counts here.
    """
    flags = SANITIZED if compiler == "gcc" else STRICT
    sources = sorted(str(p.relative_to(folder)) for p in folder.rglob("*.c"))
    run([compiler, *flags, "-I.", "-Iinclude", "-o", f"{compiler}.out", *sources], folder)
    return run([f"./{compiler}.out"], folder)
