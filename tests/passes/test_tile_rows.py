"""tile-rows gives the bits of the whole ops, with and without attention among them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emberc.ir.clone import clone_module
from emberc.ir.interpreter import run_function
from emberc.ir.parser import parse_module
from emberc.passes.tile_rows import TileRows

CASES = Path(__file__).parent / "cases" / "tile-rows"


@pytest.mark.parametrize("name", ["attention_by_query_rows", "embedding", "feed_forward", "constant_rows"])
@pytest.mark.parametrize("queries", [False, True])
def test_tiles_give_the_bits_of_the_whole(name: str, queries: bool) -> None:
    module = parse_module((CASES / f"{name}.eir").read_text().split("// expect")[0])
    (x,) = module.main.inputs
    low, high = (0, 4) if x.type.quant is None else (-128, 128)  # ids of a table of 4 rows
    feed = {x.name or "": np.random.default_rng(0).integers(low, high, x.shape).astype(x.type.dtype.numpy)}
    want = run_function(module.main, feed)
    tiled = clone_module(module)
    assert TileRows(4, queries).run(tiled) == (queries or name != "attention_by_query_rows")
    got = run_function(tiled.main, feed)
    assert {k: v.tolist() for k, v in got.items()} == {k: v.tolist() for k, v in want.items()}
    assert run_function(module.main, feed)["y"].tolist() == want["y"].tolist()
