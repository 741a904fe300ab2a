"""Builds a build directory's C, runs it on the host, emulated boards or a real one, and compares bit for bit.

May import ``targets``, ``errors`` and nothing else of emberc: it knows build directories (``manifest.json``), not
models. Reading order: ``campaign`` (what ``emberc test`` does), ``image`` and ``compile``, ``run``, ``profile``
with ``cycles``, ``stack`` and ``measure`` (what ``emberc compile`` reports), ``symbols``.
"""

from emberc.harness.campaign import TestRun, expand_targets, test_build
from emberc.harness.compile import STRICT_CFLAGS
from emberc.harness.errors import BuildError, RunError, StackError
from emberc.harness.image import Image, ObjectSize, build_image, check_symbols
from emberc.harness.manifest import Manifest, load_manifest
from emberc.harness.measure import Measurement, measure_build, stack_bytes
from emberc.harness.profile import Counts
from emberc.harness.run import RunResult, run_image
from emberc.harness.serial import run_serial
from emberc.harness.tools import check_tools

__all__ = [
    "STRICT_CFLAGS",
    "BuildError",
    "Counts",
    "Image",
    "Manifest",
    "Measurement",
    "ObjectSize",
    "RunError",
    "RunResult",
    "StackError",
    "TestRun",
    "build_image",
    "check_symbols",
    "check_tools",
    "expand_targets",
    "load_manifest",
    "measure_build",
    "run_image",
    "run_serial",
    "stack_bytes",
    "test_build",
]
