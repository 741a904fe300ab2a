"""A file that onnxruntime quantized, down to C: the integers of the file on the host, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import emberc
from emberc import harness
from tests.e2e.journey import SANITIZERS, exact
from tests.quant.quantized_files import float_model, quantized_file, samples
from tests.quant.test_quantized_files import BLOCK, FORMS, SHAPES


@pytest.mark.parametrize("form", ["QDQ", "QDQ uint8 weights"])
def test_a_quantized_block_runs_on_the_host(form: str, tmp_path: Path) -> None:
    proto = quantized_file(float_model(BLOCK, **SHAPES), tmp_path, **FORMS[form])
    data = {"x": np.stack([s["x"] for s in samples(proto)])}
    folder = emberc.compile(proto, calibration=data, target="cortex-m7").write(tmp_path / "build")
    exact(harness.test_build(folder, ["host"], extra_cflags=SANITIZERS))
