"""A build directory made by hand: a "model" that doubles its four inputs through one kernel."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emberc.targets import load_target


def compilers(names: list[str]) -> list[Any]:
    """The targets ``names``; those whose compiler and options another one has, behind ``slow``."""
    first = {repr(load_target(name).toolchain): name for name in reversed(names)}
    return [n if n in first.values() else pytest.param(n, marks=pytest.mark.slow) for n in names]


MODEL_H = """\
#ifndef DOUBLER_H
#define DOUBLER_H
#include <stdint.h>
int doubler_run(const int8_t *x, int8_t *y);
#endif
"""
MODEL_C = """\
#include "doubler.h"
#include "kernel.h"
#include "weights.h"
int doubler_run(const int8_t *x, int8_t *y)
{
    ember_scale_s8(x, y, doubler_weights);
    return 0;
}
"""
KERNEL_H = """\
#ifndef KERNEL_H
#define KERNEL_H
#include <stdint.h>
void ember_scale_s8(const int8_t *x, int8_t *y, const int8_t *w);
#endif
"""
KERNEL_C = """\
#include "kernel.h"
void ember_scale_s8(const int8_t *x, int8_t *y, const int8_t *w)
{
    volatile int8_t row[64];
    for (int i = 0; i < 4; i++) {
        row[i] = (int8_t)(x[i] * w[i]);
        y[i] = row[i];
    }
}
void ember_never_called(int8_t *y)
{
    y[0] = 1;
}
"""
WEIGHTS_H = """\
#ifndef WEIGHTS_H
#define WEIGHTS_H
#include <stdint.h>
extern const int8_t doubler_weights[WEIGHTS];
#endif
"""
GOLDEN_C = """\
#include "doubler.h"
#include "ember_golden.h"
const unsigned ember_golden_vectors = 3;
static const int8_t input[3][4] = {{0, 1, 2, 3}, {-64, 63, -1, 7}, {5, 6, 7, 8}};
static const int8_t expected[3][4] = {{0, 2, 4, 6}, {-128, 126, -2, 14}, {10, 12, 14, 16}};
int ember_golden_run(unsigned vector)
{
    int8_t y[4];
    int differ = 0;
    const int status = doubler_run(input[vector], y);
    if (status != 0) {
        return -status;
    }
    for (int i = 0; i < 4; i++) {
        differ += y[i] != expected[vector][i];
    }
    return differ;
}
"""

MakeBuild = Callable[..., Path]


@pytest.fixture
def make_build(tmp_path: Path) -> MakeBuild:
    """Writes the build directory; keywords replace parts of it: a file's whole text, or ``weights`` bytes."""

    def make(*, weights: int = 256, sources: dict[str, str] | None = None, **manifest: object) -> Path:
        folder = tmp_path / "build"
        values = ", ".join(["2"] * 4 + ["1"] * (weights - 4))
        files = {
            "doubler.h": MODEL_H,
            "doubler.c": MODEL_C,
            "doubler_weights.c": f'#include "weights.h"\nconst int8_t doubler_weights[WEIGHTS] = {{{values}}};\n',
            "doubler_golden.c": GOLDEN_C,
            "kernels/ember_scale_s8.c": KERNEL_C,
            "include/kernel.h": KERNEL_H,
            "include/weights.h": WEIGHTS_H.replace("WEIGHTS]", f"{weights}]"),
            **(sources or {}),
        }
        files["doubler_weights.c"] = files["doubler_weights.c"].replace("[WEIGHTS]", f"[{weights}]")
        described = {
            "model": "doubler",
            "target": "host",
            "sources": ["doubler.c", "doubler_weights.c", "kernels/ember_scale_s8.c"],
            "golden": "doubler_golden.c",
            "include_dirs": [".", "include"],
            "vectors": 3,
            "arena_bytes": 100,
            "state_bytes": 0,
            "io_bytes": 8,
            "weights_bytes": weights,
            "tables_bytes": 0,
            "entry": "doubler_run",
            **manifest,
        }
        files["manifest.json"] = json.dumps(described)
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return folder

    return make
