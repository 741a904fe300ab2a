"""What a compilation can be told, and the stages that it reports as it goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emberc.passes import Pipeline


@dataclass(frozen=True)
class Options:
    """What a compilation can be told. Byte counts in bytes; None: no limit of that kind was given.

    ``shapes``: static shape by input name. ``fix``: inputs that become constants. ``budget``: total of flash and
    RAM; None is 2 MiB as a goal, that is reported but not enforced. ``regions``: limits by the name of one of the
    target's memories. ``placement``: where there are several, "hot" or "size" decides what lies where
    (``memory.PLACEMENTS``). ``pipeline`` replaces the default passes.
    ``fit`` squeezes weights until flash and total are within their budgets, ``fit_plan`` is the file of a plan that an
    earlier ``fit`` wrote (``emberc.fit``).
    ``vocabulary`` names the words that an embedding keeps (``quant.vocabulary.load_vocabulary``).
    ``prefer``: "speed", "memory" or "balanced" where one is to be had for the other (``emberc.configure``); with
    ``ram`` the quickest that fits is taken, unless it is "memory".
    ``streaming``: firmware that takes one step of the sequence a call. ``states``, for a model that is one step with
    its state as inputs and outputs: output by input, ``*`` standing for the same text in both; None finds the pairs by
    structure (``frontend.states``).
    ``vectors``: inputs of the golden vectors, arrays with a leading sample axis by input name; None takes
    some of the calibration samples held back. ``began(stage)`` and ``progress(stage, did, seconds)``
    are called when a stage begins and ends.
    """

    target: str = "host"
    name: str | None = None
    shapes: Mapping[str, tuple[int, ...]] | None = None
    fix: Mapping[str, Any] | None = None
    budget: int | None = None
    flash: int | None = None
    ram: int | None = None
    regions: Mapping[str, int] | None = None
    placement: str = "hot"
    observer: str = "minmax"
    percentile: float = 99.99
    precision: str = "int8"
    prefer: str = "balanced"
    streaming: bool = False
    states: Mapping[str, str] | None = None
    fit: bool = False
    fit_plan: str | Path | None = None
    vocabulary: str | Path | None = None
    vectors: Mapping[str, Any] | None = None
    pipeline: Pipeline | None = None
    print_after: frozenset[str] = frozenset()
    began: Callable[[str], None] | None = None
    progress: Callable[[str, str, float], None] | None = None


@dataclass
class Stages:
    """Times the stages and tells whoever watches."""

    began: Callable[[str], None] | None
    progress: Callable[[str, str, float], None] | None
    done: list[tuple[str, str, float]] = field(default_factory=list)

    @contextmanager
    def __call__(self, name: str) -> Iterator[list[str]]:
        if self.began:
            self.began(name)
        start, words = time.perf_counter(), [""]
        yield words
        self.done.append((name, words[0], time.perf_counter() - start))
        if self.progress:
            self.progress(*self.done[-1])
