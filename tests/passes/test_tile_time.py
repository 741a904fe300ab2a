"""A sequence in tiles of time gives the bits of the whole, in the reference and in C, with less memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from backend.support import compile_and_run, write

from emberc.backend.c import GoldenVector, plan_for
from emberc.ir.interpreter import run_function
from emberc.ir.ops.time_tiles import TimeTiles
from emberc.ir.parser import parse_module
from emberc.ir.printer import print_module, side_data
from emberc.ir.verifier import verify
from emberc.passes import PassManager, Pipeline
from emberc.passes.tile_time import TileTime
from emberc.targets import load_target
from tests.mamba import Config, mamba
from tests.passes.test_streaming import decoder, quantized


@pytest.mark.parametrize("head", ["", "rms", "mean", "last"])
def test_same_bits_in_tiles(head: str, tmp_path: Path) -> None:
    config = Config(layers=2, length=24, head=head)
    plain, tiled = quantized(mamba(config)), quantized(mamba(config))
    PassManager(Pipeline([TileTime(8)])).run(tiled)
    (op,) = tiled.main.ops
    assert isinstance(op, TimeTiles)
    assert op.axis == (1 if head == "" else -1)
    ids = np.random.default_rng(1).integers(0, 50, (1, 24)).astype(np.int32)
    want = run_function(plain.main, {"input_ids": ids})
    np.testing.assert_array_equal(run_function(tiled.main, {"input_ids": ids})["y"], want["y"])
    target = load_target("host")
    assert plan_for(tiled.main, target).arena_bytes < plan_for(plain.main, target).arena_bytes
    build = write(tiled, tmp_path / "build", [GoldenVector({"input_ids": ids}, want)] * 2)
    for compiler in ("gcc", "clang"):
        assert "ember: done vectors=2 mismatches=0 errors=0" in compile_and_run(build, compiler)


def test_round_trip() -> None:
    module = quantized(mamba(Config(layers=1, length=8)))
    PassManager(Pipeline([TileTime(4)])).run(module)
    text = print_module(module)
    again = parse_module(text, side_data(module))
    verify(again)
    assert print_module(again) == text
    ids = np.arange(8, dtype=np.int32)[None]
    first, second = (run_function(m.main, {"input_ids": ids})["y"] for m in (module, again))
    np.testing.assert_array_equal(first, second)


def test_not_without_a_scan_nor_a_divisor() -> None:
    for module in (decoder(length=8), mamba(Config(layers=1, length=7))):
        whole = quantized(module)
        before = print_module(whole)
        assert not TileTime(4).run(whole)
        verify(whole)
        assert print_module(whole) == before
