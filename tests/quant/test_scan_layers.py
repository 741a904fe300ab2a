"""Rows of the accuracy table for what lives inside a scan: all of it, and the tensor whose scale is bad comes first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from emberc.ir.graph import Module
from emberc.ir.ops.float_scan import SelectiveScan
from emberc.ir.values import Constant
from emberc.quant import scan
from emberc.quant.layers import LayerAccuracy
from emberc.quant.scan_ranges import ScanRanges, floored
from emberc.report import render_layers
from tests.mamba import Config, mamba
from tests.quant.test_scan import quantized, scan_alone

INSIDE = {"delta": "u32", "decay": "i16", "delta * x": "i16", "state": "i16", "y before gate": "i16"}
EDGES = {"x": "i8", "delta before softplus": "i16", "B": "i16", "C": "i16", "z": "i8"}


def inner(rows: list[LayerAccuracy], node: str) -> Mapping[str, LayerAccuracy]:
    """The rows of what is inside the scan of ``node``, by the tensor's name."""
    found = [(r.node.removeprefix(f"{node} · "), r) for r in rows if r.node.startswith(f"{node} · ")]
    assert len(dict(found)) == len(found), "a tensor has one row"
    return dict(found)


@pytest.mark.parametrize("config", [Config(), Config(heads=4), Config(states=1, length=70)], ids=str)
def test_every_scan_shows_what_is_inside(config: Config) -> None:
    """70 steps are more than are compared at once. What products write for a scan has the products' own rows."""
    module = mamba(config)
    quantized(module)
    for node in ("/layers.0", "/layers.1"):
        rows = inner(module.layers, node)
        assert {name: r.dtype for name, r in rows.items()} == INSIDE
        assert {r.op for r in rows.values()} == {"f.selective_scan"}
        assert min(r.sqnr_db or 0.0 for r in rows.values()) > 30, "under the right scales all of them agree"
        assert max(r.clipped for r in rows.values()) == 0
    assert [r.sqnr_db for r in module.layers] == sorted(r.sqnr_db or 0.0 for r in module.layers)


@pytest.mark.parametrize("gate", [True, False])
def test_what_no_other_row_shows_has_one_at_the_scan(gate: bool) -> None:
    module = scan_alone(gate=gate)
    quantized(module)
    rows = inner(module.layers, "")
    without = () if gate else ("z", "y before gate")  # (there, y is the scan's own result)
    assert {name: r.dtype for name, r in rows.items()} == {
        k: d for k, d in (EDGES | INSIDE).items() if k not in without
    }
    assert min(r.sqnr_db or 0.0 for r in rows.values()) > 30


def test_a_state_with_too_little_room_is_the_worst(monkeypatch: pytest.MonkeyPatch) -> None:
    """All but lossless decays: the state grows far beyond one step's share, so that its own range sets its scale."""

    def narrow(ranges: ScanRanges) -> ScanRanges:
        return floored(replace(ranges, state=ranges.state / 16))

    def slow() -> Module:
        module = mamba(Config(layers=1, length=96))
        (op,) = [op for op in module.ops() if isinstance(op, SelectiveScan)]
        op.set_operand(2, Constant(op.a.const * np.float32(1e-3), "a"))
        quantized(module)
        return module

    roomy = inner(slow().layers, "/layers.0")["state"]
    monkeypatch.setattr(scan, "floored", narrow)
    module = slow()
    worst = module.layers[0]
    assert worst.node == "/layers.0 · state"
    assert roomy.clipped == 0
    assert worst.clipped > 0.005
    assert inner(module.layers, "/layers.0")["decay"].clipped == 0, "a decay of 1 is rounded, not clipped"
    assert (worst.sqnr_db or 0.0) < 20 < (roomy.sqnr_db or 0.0)
    assert render_layers(module.layers).splitlines()[1].endswith("i16   f.selective_scan  /layers.0 · state")
