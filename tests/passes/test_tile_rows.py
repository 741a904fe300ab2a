"""tile-rows gives the bits of the whole ops, with and without attention among them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emberc.backend.planning import plan_function
from emberc.ir.clone import clone_module
from emberc.ir.graph import Module
from emberc.ir.interpreter import run_function
from emberc.ir.ops.row_tiles import RowTiles
from emberc.ir.parser import parse_module
from emberc.passes.tile_rows import TileRows
from emberc.passes.widen_tiles import larger_tiles, with_rows

CASES = Path(__file__).parent / "cases" / "tile-rows"


NAMES = ["attention_by_query_rows", "attention_head_by_head", "embedding", "feed_forward", "constant_rows"]
TIGHT = TileRows(4, queries=True, heads=True, recompute=True)


def answer(module: Module) -> dict[str, list[int]]:
    """What the module makes of random input."""
    (x,) = module.main.inputs
    low, high = (0, 4) if x.type.quant is None else (-128, 128)  # ids of a table of 4 rows
    feed = {x.name or "": np.random.default_rng(0).integers(low, high, x.shape).astype(x.type.dtype.numpy)}
    return {k: v.tolist() for k, v in run_function(module.main, feed).items()}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("tile", [TileRows(4), TileRows(4, queries=True), TIGHT])
def test_tiles_give_the_bits_of_the_whole(name: str, tile: TileRows) -> None:
    module = parse_module((CASES / f"{name}.eir").read_text().split("// expect")[0])
    want = answer(module)
    tiled = clone_module(module)
    assert tile.run(tiled) == (tile.queries or name != "attention_by_query_rows")
    assert answer(tiled) == want and answer(module) == want


def test_larger_tiles_give_the_same_bits() -> None:
    module = parse_module((CASES / "attention_head_by_head.eir").read_text().split("// expect")[0])
    want = answer(module)
    TIGHT.run(module)
    loop = next(op for op in module.main.ops if isinstance(op, RowTiles))
    assert larger_tiles(loop, 8) == [] and loop.rows == 4  # half of all rows, at most
    loop.attrs["rows"] = 2
    loop.callee = module.functions[loop.body] = with_rows(loop, 2)
    assert answer(module) == want and larger_tiles(loop, 8) == [4]


def test_keys_and_values_of_one_head_are_all_there_is_of_them() -> None:
    module = parse_module((CASES / "attention_head_by_head.eir").read_text().split("// expect")[0])
    whole = plan_function(module.main).arena_bytes
    TIGHT.run(module)
    *_, last = (op for op in module.main.ops if isinstance(op, RowTiles))
    assert last.backwards and last.overwrites() == {"y": ("xs1",)}  # over the first head, whose rows are half as wide
    assert plan_function(module.main).arena_bytes < whole
