"""A model that runs step by step in C: the same bits as the reference, states in the caller's context."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from backend.support import INFO, STRICT, compile_and_run, run
from emberc.backend.c import emit, manifest, plan_for, write_files
from emberc.golden import golden_vectors
from emberc.ir.graph import Module
from emberc.passes.streaming import stream
from emberc.quant.calibration import CalibrationData
from emberc.targets import load_target
from tests.mamba import Config, mamba
from tests.passes.test_stream_cells import imported
from tests.passes.test_stream_ranks import every_rank
from tests.passes.test_stream_windows import spectrogram
from tests.passes.test_streaming import decoder, quantized


def written(module: Module, folder: Path) -> Path:
    step = stream(quantized(module))
    data = step.calibration
    assert isinstance(data, CalibrationData)
    target = load_target("host")
    files = emit(
        step, plan_for(step.main, target), target=target, golden=golden_vectors(step, data, None), header_info=INFO,
        name=step.name,
    )  # fmt: skip
    write_files(files, folder)
    return folder


MODELS: dict[str, tuple[Callable[[], Module], int]] = {
    "mamba": (lambda: mamba(Config(layers=1, length=9, head="rms")), 9),
    "decoder": (decoder, 7),
    "windows": (spectrogram, 9),
    "ranks": (every_rank, 9),
    "cells": (lambda: imported(["LSTM", "GRU"], begun=True), 7),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_c_gives_the_references_bits(name: str, tmp_path: Path) -> None:
    """Two sequences: what the reset gives back is part of the second."""
    module, steps = MODELS[name]
    build = written(module(), tmp_path / "build")
    vectors = 2 * steps
    for compiler in ("gcc", "clang"):
        assert f"ember: done vectors={vectors} mismatches=0 errors=0" in compile_and_run(build, compiler)


CALLER = """
#include "mamba.h"
#include <stdio.h>
EMBER_ALIGN(16) static unsigned char arena[MAMBA_ARENA_BYTES];
int main(void)
{
    static mamba_ctx one, two;
    static const int32_t ids[3] = {3, 1, 4};
    int16_t y[MAMBA_Y_LEN], z[MAMBA_Y_LEN];
    mamba_init(&one, arena, sizeof arena);
    mamba_init(&two, arena, sizeof arena);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3; i++) {
            const mamba_inputs in = {&ids[i]};
            const mamba_outputs out_y = {y}, out_z = {z};
            if (mamba_step(&one, &in, &out_y) != EMBER_OK || mamba_step(&two, &in, &out_z) != EMBER_OK)
                return 1;
        }
        printf("%d %d\\n", y[0], z[0]);
        mamba_reset(&one);
    }
    return sizeof one.state == STATE ? 0 : 2;
}
"""


def test_contexts_are_apart_and_reset_begins_anew(tmp_path: Path) -> None:
    """Two sequences share the arena; after a reset the first gives its first answers again, the second goes on."""
    build = written(mamba(Config(layers=1, length=9, head="")), tmp_path / "build")
    state = manifest({"manifest.json": (build / "manifest.json").read_text()})["state_bytes"]
    (build / "caller.c").write_text(CALLER)
    sources = [str(p.relative_to(build)) for p in sorted(build.rglob("*.c"))]
    sources = [s for s in sources if not s.startswith("test/") and "golden" not in s]
    run(["gcc", *STRICT, f"-DSTATE={state}", "-I.", "-Iinclude", "-o", "caller.out", *sources], build)
    first, second = (line.split() for line in run(["./caller.out"], build).splitlines())
    assert first[0] == first[1] == second[0] != second[1]
    assert state == -(-3 * 32 // 16) * 16 + 32 * 4 * 2
    assert np.all([int(v) for v in first])


FULL = """
#include "gpt.h"
#include <stdio.h>
#include <string.h>
EMBER_ALIGN(16) static unsigned char arena[GPT_ARENA_BYTES];
int main(void)
{
    static gpt_ctx ctx, before;
    static const int32_t ids[GPT_STEPS] = {3, 1, 4, 1, 5, 9, 2};
    int16_t first[GPT_STEPS][GPT_Y_LEN], again[GPT_STEPS][GPT_Y_LEN], beyond[GPT_Y_LEN] = {99, 98, 97};
    gpt_init(&ctx, arena, sizeof arena);
    for (unsigned i = 0; i < GPT_STEPS; i++) {
        if (gpt_step(&ctx, &(gpt_inputs){&ids[i]}, &(gpt_outputs){first[i]}) != EMBER_OK)
            return 1;
    }
    before = ctx;
    for (int i = 0; i < 2; i++) {
        if (gpt_step(&ctx, &(gpt_inputs){&ids[0]}, &(gpt_outputs){beyond}) != EMBER_ERR_RANGE)
            return 2;
    }
    if (memcmp(&before.state, &ctx.state, sizeof ctx.state) != 0 || beyond[0] != 99 || beyond[2] != 97)
        return 3;
    gpt_reset(&ctx);
    for (unsigned i = 0; i < GPT_STEPS; i++) {
        if (gpt_step(&ctx, &(gpt_inputs){&ids[i]}, &(gpt_outputs){again[i]}) != EMBER_OK)
            return 4;
    }
    return memcmp(first, again, sizeof first) == 0 ? 0 : 5;
}
"""


@pytest.mark.parametrize("positions", [True, False])
def test_a_full_cache_is_an_error_that_changes_nothing(positions: bool, tmp_path: Path) -> None:
    """As many steps as the cache has rows; then an error, states and outputs as they were, and anew after a reset."""
    build = written(decoder(positions=positions), tmp_path / "build")
    assert "#define GPT_STEPS 7u" in (build / "gpt.h").read_text()
    (build / "caller.c").write_text(FULL)
    sources = [str(p.relative_to(build)) for p in sorted(build.rglob("*.c"))]
    sources = [s for s in sources if not s.startswith("test/") and "golden" not in s]
    run(["gcc", *STRICT, "-I.", "-Iinclude", "-o", "caller.out", *sources], build)
    run(["./caller.out"], build)
