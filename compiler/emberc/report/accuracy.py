"""Float against integer, measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emberc.ir.types import Array
from emberc.report.model import Accuracy


def compare(float_outputs: Sequence[dict[str, Array]], outputs: Sequence[dict[str, Array]]) -> dict[str, Accuracy]:
    """Accuracy by output name over paired samples; both hold float arrays of equal shapes."""
    result: dict[str, Accuracy] = {}
    for name in outputs[0] if outputs else ():
        x = np.stack(
            [
                np.asarray(f[name], np.float64).reshape(o[name].shape)
                for f, o in zip(float_outputs, outputs, strict=True)
            ]
        )
        y = np.stack([np.asarray(o[name], np.float64) for o in outputs])
        result[name] = _one(x, y)
    return result


def _one(x: Array, y: Array) -> Accuracy:
    signal, noise = float((x * x).sum()), float(((x - y) ** 2).sum())
    sqnr = None if noise == 0 or signal == 0 else round(10 * float(np.log10(signal / noise)), 2)
    norm = float(np.sqrt(signal * (y * y).sum()))
    cosine = 1.0 if noise == 0 else float((x * y).sum()) / norm if norm else 0.0
    same = x.argmax(-1) == y.argmax(-1) if x.ndim > 1 else np.isclose(x, y)
    return Accuracy(sqnr, round(cosine, 6), round(float(np.mean(same)), 6))
