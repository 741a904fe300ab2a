"""Where a fast kernel's C file lies."""

from __future__ import annotations

from pathlib import Path

from emberc.targets import runtime_root


def kernel_source(isa: str, function: str) -> Path:
    """``runtime_c/kernels/<isa>/<function>.c``"""
    return runtime_root() / "kernels" / isa / f"{function}.c"
