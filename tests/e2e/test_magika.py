"""Magika, a trained detector of file types: look-up, norm over time, a convolution of 333 M products, norm, softmax.

It is held to onnxruntime's labels on files that calibration has not seen. The features are those of the package:
1024 bytes of either end without the white space around them, 256 where a file has less.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

import emberc
from emberc import harness
from tests.e2e.files import found, made
from tests.e2e.journey import EVERYWHERE, exact
from tests.e2e.packages import package_file

pytestmark = pytest.mark.slow

SIDE, BLOCK, NOTHING = 1024, 4096, 256


def features(data: bytes) -> NDArray[np.int32]:
    """[1, 2048]: the beginning, then the end of a file."""
    first, last = data[:BLOCK].lstrip()[:SIDE], data[-BLOCK:].rstrip()[-SIDE:]
    row = np.full((1, 2 * SIDE), NOTHING, np.int32)
    row[0, : len(first)] = np.frombuffer(first, np.uint8)
    row[0, 2 * SIDE - len(last) :] = np.frombuffer(last, np.uint8)
    return row


def test_tells_files_apart_as_the_floats_do(tmp_path: Path) -> None:
    path = package_file("magika", "standard_v3_3/model.onnx")
    known, unseen = ([features(d) for d in (*found(n, n), *made(m, m))] for n, m in ((25, 39), (20, 26)))
    firmware = emberc.compile(
        path, calibration={"bytes": np.stack(known)}, target="cortex-m7", shapes={"bytes": (1, 2 * SIDE)}
    )
    exact(harness.test_build(firmware.write(tmp_path / "build"), EVERYWHERE))
    assert firmware.report.integer_only
    kinds = [op.opcode for op in firmware.module.main.ops]
    assert kinds.count("q.layer_norm") == 2 and kinds.count("q.conv") == kinds.count("q.softmax") == 1
    session = onnxruntime.InferenceSession(path)
    want = np.concatenate([session.run(None, {"bytes": row})[0] for row in unseen])
    got = np.concatenate([firmware.run({"bytes": row})["target_label"] for row in unseen])
    labels = want.argmax(1)
    assert len(set(labels.tolist())) >= 12, "the files must be of many types"
    assert (got.argmax(1) == labels).mean() >= 0.95
    assert np.abs(got.max(1) - want.max(1)).mean() <= 0.05
