"""Measures kernels and compiled models on emulated cores: exact instructions, modelled cycles.

    case.py    one op with its inputs, and the unit of its work    suite.py   the cases that ``emberc bench`` runs
    image.py   cases as one build directory for the harness        run.py     rows: cost, equality, flash, scratch
    model.py   a compiled model's cost by op

Sits beside ``driver``: it may import the backend and the harness.
"""

from emberc.backend.c import build as build  # registers emitters and fast kernels
from emberc.bench.case import Case
from emberc.bench.model import ModelBench, OpRow, bench_model
from emberc.bench.run import KernelRow, bench_kernels, check_cases
from emberc.bench.suite import SUITE, suite

__all__ = [
    "SUITE",
    "Case",
    "KernelRow",
    "ModelBench",
    "OpRow",
    "bench_kernels",
    "bench_model",
    "check_cases",
    "suite",
]
