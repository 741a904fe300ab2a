"""The choice of forms against trying all of them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from emberc.fit import Option, choose, search
from emberc.fit.choose import most
from emberc.ir.graph import Function
from emberc.quant.forms import Form

TABLES = range(12)


def table(seed: int, weights: int = 5) -> list[list[Option]]:
    """Random savings, some of them useless, and losses that do not follow the sizes."""
    rng = np.random.default_rng(seed)
    rows = []
    for w in range(weights):
        before = int(rng.integers(50, 500))
        sizes = rng.integers(1, before + 40, 4)
        rows.append([Option(f"w{w}", Form(4), before, int(a), float(rng.uniform(0, 1))) for a in sizes])
    return rows


def brute(rows: list[list[Option]], need: int) -> float | None:
    """The least loss of all choices that save enough."""
    best = None
    for picks in product(*([None, *row] for row in rows)):
        chosen = [o for o in picks if o is not None]
        if sum(o.saved for o in chosen) >= need:
            loss = sum(o.loss for o in chosen)
            best = loss if best is None else min(best, loss)
    return best


@pytest.mark.parametrize("seed", TABLES)
def test_no_choice_is_better(seed: int) -> None:
    rows = table(seed)
    for share in (0.0, 0.2, 0.7, 0.95, 1.0):
        need = int(share * most(rows))
        chosen = choose(rows, need)
        assert chosen is not None
        assert sum(o.saved for o in chosen) >= need
        assert len({o.tensor for o in chosen}) == len(chosen)
        assert sum(o.loss for o in chosen) == pytest.approx(brute(rows, need))


def test_what_can_not_be_saved_is_not_chosen() -> None:
    rows = table(3)
    assert choose(rows, most(rows) + 1) is None
    assert choose(rows, 0) == [] == choose([], 0)


def test_the_same_table_gives_the_same_choice() -> None:
    rows = [[Option(f"w{i}", Form(3), 100, 40, 0.5), Option(f"w{i}", Form(2), 100, 40, 0.5)] for i in range(6)]
    assert choose(rows, 180) == choose(rows, 180)
    chosen = choose(rows, 180)
    assert chosen is not None and len(chosen) == 3


def test_many_weights_stay_quick() -> None:
    rows = table(7, weights=60)
    chosen = choose(rows, most(rows) // 2)
    assert chosen is not None and sum(o.saved for o in chosen) >= most(rows) // 2


def test_a_build_that_is_bytes_too_large_is_followed_by_one_that_saves_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forms save in steps: the first plan saves more than was asked for, and its build may still be 44 bytes over."""
    monkeypatch.setattr(search, "together", lambda *_: 0.0)
    options = [Option("w", Form(4), 1000, 500, 0.1), Option("w", Form(3), 1000, 380, 0.2)]
    fitter = search.Fitter("", Function("main"), [], [options])
    saved = []
    for excess in (400, 44, 44):
        plan = fitter.smaller(excess)
        saved.append(plan and sum(c.before - c.after for c in plan.choices))
    assert saved == [500, 620, None]
