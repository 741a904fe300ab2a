"""One quantized module as firmware for several targets, each with the kernels of its own core."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import emberc
from emberc import harness
from emberc.backend.c import HeaderInfo, emit, plan_for, write_files
from emberc.golden import golden_vectors
from emberc.quant.calibration import CalibrationData
from emberc.targets import load_target

TARGETS = ("host", "cortex-m4", "cortex-m55", "rv32")


def run_everywhere(
    firmware: emberc.Firmware, folder: Path, targets: Sequence[str] = TARGETS
) -> dict[str, harness.TestRun]:
    """The golden vectors' runs by target. Planned and emitted anew for each, imported and quantized only once."""
    module, data = firmware.module, firmware.module.calibration
    assert isinstance(data, CalibrationData)
    golden = golden_vectors(module, data, None)
    runs = {}
    for name in targets:
        target = load_target(name)
        plan, info = plan_for(module.main, target), HeaderInfo("0", "sha256:0")
        write_files(emit(module, plan, target=target, golden=golden, header_info=info, name="scan"), folder / name)
        (runs[name],) = harness.test_build(folder / name, [name])
    return runs
