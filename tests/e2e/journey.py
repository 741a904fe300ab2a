"""From a zoo model to test runs on targets: what the end-to-end tests share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import emberc
from emberc import harness
from tests.zoo import zoo_model

BOARDS = ["cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55", "rv32"]
EVERYWHERE = ["host", *BOARDS]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g"]


@dataclass(frozen=True)
class Journey:
    """A compiled zoo model and the folder that it was written to."""

    firmware: emberc.Firmware
    folder: Path

    def run(self, targets: list[str], **options: Any) -> list[harness.TestRun]:
        return harness.test_build(self.folder, targets, **options)

    def fits(self, targets: list[str]) -> list[harness.TestRun]:
        """The runs on those targets that the image fits; at least one must."""
        runs = self.run(targets)
        fitting = [r for r in runs if r.error is None or r.error.code != "E-FIT"]
        assert fitting, [r.error and r.error.render() for r in runs]
        return fitting


def compile_zoo(
    name: str,
    folder: Path,
    *,
    target: str = "cortex-m7",
    extreme: bool = False,
    regions: dict[str, int] | None = None,
    **options: Any,
) -> Journey:
    """Compiles a zoo model with its own samples as calibration and writes it to ``folder``.

    ``regions``: limits by memory of the target. ``extreme``: the golden vectors are made of the smallest and largest
    ids and of empty and full masks.
    """
    model = zoo_model(name, **options)
    samples = dict(model.samples)
    vectors = _extremes(samples, options) if extreme else None
    firmware = emberc.compile(
        model.path,
        calibration=samples,
        target=target,
        shapes={k: (1, v.shape[-1]) for k, v in samples.items()} if options.get("dynamic") else None,
        vectors=vectors,
        regions=regions,
    )
    return Journey(firmware, firmware.write(folder / "build"))


def _extremes(samples: dict[str, np.ndarray], options: dict[str, Any]) -> dict[str, np.ndarray]:
    ids = samples["input_ids"]
    low, high = np.zeros_like(ids[:1]), np.full_like(ids[:1], ids.max())
    rows = np.concatenate([low, high, low, high, np.arange(ids[:1].size).reshape(ids[:1].shape) % (ids.max() + 1)])
    out = {"input_ids": rows}
    for name in samples.keys() - {"input_ids"}:
        mask = np.ones_like(rows)
        mask[0] = 0
        mask[1] = 0
        mask[2, ..., 1:] = 0
        mask[3, ..., :-1] = 0
        out[name] = mask
    return out


def exact(runs: list[harness.TestRun], vectors: int = 4) -> None:
    """Every run compared at least ``vectors`` vectors and found every element equal."""
    for r in runs:
        assert r.error is None, r.error.render()
        assert r.vectors is not None and r.vectors >= vectors
        assert r.mismatches == 0, r.on
