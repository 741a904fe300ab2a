"""The choice: for every weight one of its forms or none, so that enough bytes are saved at the least summed loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emberc.fit.sensitivity import Option

#: partial choices kept after each weight; with more the ones nearest to each other in bytes are thinned out
WIDEST = 20_000


@dataclass(frozen=True)
class _Partial:
    saved: int
    loss: float
    option: Option | None = None
    before: _Partial | None = None

    def options(self) -> list[Option]:
        found: list[Option] = []
        at: _Partial | None = self
        while at is not None:
            if at.option is not None:
                found.append(at.option)
            at = at.before
        return found[::-1]


def choose(table: Sequence[Sequence[Option]], need: int) -> list[Option] | None:
    """At most one option of each row, saving ``need`` bytes or more at the least sum of losses; None if none does.

    A multiple-choice knapsack by dominance: after each weight only those partial choices stay that no other beats in
    both bytes and loss (Kellerer, Pferschy and Pisinger, 2004, section 11.5). Exact up to ``WIDEST`` partial choices.
    Losses add up as independent noises do. Deterministic: ties go to fewer bytes saved, then to earlier forms.
    """
    partial = [_Partial(0, 0.0)]
    for row in table:
        grown = list(partial)
        for option in row:
            if option.saved > 0:
                grown += [_Partial(min(need, p.saved + option.saved), p.loss + option.loss, option, p) for p in partial]
        partial = _best(grown)
    enough = [p for p in partial if p.saved >= need]
    return min(enough, key=lambda p: p.loss).options() if enough else None


def most(table: Sequence[Sequence[Option]]) -> int:
    """The most bytes that any choice saves."""
    return sum(max((o.saved for o in row), default=0) for row in table)


def _best(partials: list[_Partial]) -> list[_Partial]:
    """Those that nothing beats, most bytes first and so with falling loss."""
    kept: list[_Partial] = []
    for p in sorted(partials, key=lambda p: (-p.saved, p.loss)):
        if not kept or p.loss < kept[-1].loss:
            kept.append(p)
    if len(kept) > WIDEST:
        step = len(kept) / WIDEST
        kept = [kept[int(i * step)] for i in range(WIDEST)]
    return kept
