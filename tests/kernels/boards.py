"""Fast kernels on an emulated core against the ops' references: many cases, one image.

The portable kernels equal the same references (the other tests here), so equality with one is equality with both.
Guard bytes around each result and behind the scratch are part of the comparison.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from emberc.bench import Case, check_cases
from emberc.harness import STRICT_CFLAGS
from emberc.targets import load_target


def same_kernels(core: str, *others: str) -> list[Any]:
    """The cores of a sweep that run the same kernels: the first by default, the others behind ``slow``."""
    return [core, *(pytest.param(other, marks=pytest.mark.slow) for other in others)]


def assert_exact(target: str, cases: Sequence[Case], *, kernel: str = "", opt: str | None = None) -> None:
    """Every case gives the reference's bits on ``target``; with ``kernel`` that is the function that must run it."""
    if kernel:
        isa = load_target(target).isa
        others = [f"{c.kernel(isa).function} {c.shape} {c.note}" for c in cases if c.kernel(isa).function != kernel]
        assert others == []
    differ = check_cases(cases, target, opt=opt)
    assert not differ, "\n".join(differ)


def assert_exact_anywhere(kernels_of: str, cases: Sequence[Case]) -> None:
    """The plain C of the kernels of ``kernels_of`` gives the same bits, clean under the host's sanitizers."""
    sanitized = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", *STRICT_CFLAGS)
    differ = check_cases(cases, "host", kernels_of=kernels_of, opt="-O1", extra_cflags=sanitized)
    assert not differ, "\n".join(differ)
