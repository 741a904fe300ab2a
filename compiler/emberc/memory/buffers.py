"""Buffers with lifetimes, and what a placement of them promises."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from emberc.errors import VerifyError


def round_up(value: int, align: int) -> int:
    """The smallest multiple of ``align`` that is not below ``value``."""
    return -(-value // align) * align


@dataclass(frozen=True, slots=True)
class Buffer:
    """``size`` bytes that are live during the steps ``start <= t < end``.

    A buffer lies at a multiple of ``align`` and occupies its *slot*: ``size`` rounded up to ``align``. The
    rounding is part of the buffer, so a sum of slots is a true lower bound whatever alignments are mixed.
    """

    name: str
    size: int
    start: int
    end: int
    align: int = 16

    def __post_init__(self) -> None:
        if self.size < 0 or self.start < 0 or self.end <= self.start or self.align < 1:
            raise VerifyError(
                f"size {self.size}, lifetime [{self.start}, {self.end}), alignment {self.align}",
                at=f"buffer '{self.name}'",
                hints=["a buffer has size >= 0, 0 <= start < end and alignment >= 1"],
            )

    @property
    def slot(self) -> int:
        """Bytes occupied: the size rounded up to the alignment."""
        return round_up(self.size, self.align)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where each buffer lies, and how good that is.

    ``offsets[i]`` belongs to the i-th buffer given. ``height`` is the memory needed (bytes, slots included);
    no placement of these buffers needs less than ``bound``; ``proved`` says that the two are equal.
    ``method`` names the rung of the ladder that gave the answer.
    """

    offsets: tuple[int, ...]
    height: int
    bound: int
    seconds: float
    method: str

    @property
    def proved(self) -> bool:
        return self.height == self.bound


def load_bound(buffers: Iterable[Buffer]) -> int:
    """The largest sum of slots live in one step: no placement of the buffers can be lower (bytes)."""
    change: dict[int, int] = {}
    for buffer in buffers:
        change[buffer.start] = change.get(buffer.start, 0) + buffer.slot
        change[buffer.end] = change.get(buffer.end, 0) - buffer.slot
    live = peak = 0
    for _, delta in sorted(change.items()):
        live += delta
        peak = max(peak, live)
    return peak
