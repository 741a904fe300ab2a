"""Exported sequence models a step a call: the bits of the whole sequence, from the exporter's file on."""

from __future__ import annotations

import numpy as np
import pytest

import emberc
from emberc.passes.steps import sequence_length
from tests.zoo.family import family_model

#: family -> exporter
FAMILIES = {"mamba_causal": "ts", "mamba2_padded": "dynamo", "gpt": "dynamo", "llama": "dynamo"}
#: other forms of the same, and answers for the whole sequence, which are those of its last step
MORE = {
    "mamba": "dynamo",
    "mamba2": "dynamo",
    "mamba_keywords": "ts",
    "scan": "dynamo",
    "scan_while_loop": "dynamo",
    "scan_scripted": "ts",
    "scan_associative": "dynamo",
}


@pytest.mark.parametrize("name", [*FAMILIES, *(pytest.param(name, marks=pytest.mark.slow) for name in MORE)])
def test_steps_have_the_bits_of_the_whole(name: str) -> None:
    model = family_model(name, (FAMILIES | MORE)[name])
    fixed = {"attention_mask": 1} if "attention_mask" in model.samples else {}
    firmware = emberc.compile(model.path, calibration=model.samples, streaming=True, fix=fixed)
    whole = firmware.whole.main
    length = sequence_length(whole)
    for i in (0, 7):
        sample = {v.name or "": model.samples[v.name or ""][i : i + 1] for v in whole.inputs}
        want = firmware.run(sample)["logits"]
        steps = ({k: a[:, t : t + 1] for k, a in sample.items()} for t in range(length))
        rows = [answer["logits"] for answer in firmware.run_steps(steps)]
        per_step = want.ndim == 3
        assert len(rows) == length and per_step == (want.shape[1] == length)
        np.testing.assert_array_equal(np.concatenate(rows, 1) if per_step else rows[-1], want)
