"""The search for a plan: measure once, choose, build, and choose again while the build is still too large."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from emberc.backend import FunctionPlan
from emberc.backend.c.build import Files
from emberc.errors import FitError, UsageError
from emberc.firmware import Reference
from emberc.fit.choose import choose, most
from emberc.fit.plan import Choice, FitPlan
from emberc.fit.sensitivity import Option, measure_forms, together
from emberc.ir.graph import Function, Module
from emberc.passes.squeezable import squeezable
from emberc.report.model import Memory

#: builds that are tried; the first already counts every weight's bytes, the others find room for the kernels' code
ROUNDS = 6


@dataclass(frozen=True)
class Build:
    """One measured build: integer module, memory plan, files, what it takes, and its answers over whole inputs."""

    module: Module
    plan: FunctionPlan
    files: Files
    memory: Memory
    reference: Reference


class Job(Protocol):
    """What the search asks of the driver."""

    def build(self, squeezed: FitPlan | None, *, any_speed: bool = True) -> Build:
        """The model with its weights in the forms of a plan; without ``any_speed`` no arena that costs much time."""

    def fitter(self) -> Fitter:
        """The table of losses, measured."""


@dataclass
class Fitter:
    """Plans for a float ``function`` of the model with SHA-256 ``model``, each smaller than the one before."""

    model: str
    function: Function
    samples: Sequence[Mapping[str, Any]]
    table: list[list[Option]] = field(default_factory=list)
    need: int = 0
    rounds: int = 0

    def measure(self) -> str:
        """Fills the table of losses; says in a few words what was measured."""
        self.table = measure_forms(self.function, self.samples)
        return f"{len(self.table)} weights, {sum(map(len, self.table))} forms measured"

    def smaller(self, excess: int) -> FitPlan | None:
        """The plan with the least loss that saves ``excess`` bytes more than the last one; None: there is none."""
        self.rounds += 1
        self.need += excess
        chosen = choose(self.table, self.need) if self.rounds <= ROUNDS else None
        if chosen is None:
            return None
        self.need = sum(option.saved for option in chosen)  # forms save in steps, so it may be more than was asked for
        return self._plan(chosen)

    def smallest(self) -> FitPlan:
        """The plan that saves most."""
        return self._plan(choose(self.table, most(self.table)) or [])

    def _plan(self, options: list[Option]) -> FitPlan:
        choices = tuple(Choice(o.tensor, o.form, o.before, o.after, o.loss) for o in options)
        loss = together(self.function, self.samples, {c.tensor: c.form for c in choices})
        return FitPlan(self.model, choices, loss)


def fit(build: Build, job: Job) -> tuple[Build, FitPlan | None]:
    """Squeezes weights until flash and total are within their budgets; None where int8 is small enough.

    Raises FitError, with the smallest size that was reached, where no choice of forms is enough.
    """
    excess = _excess(build.memory)
    if not excess:
        return build, None
    fitter, tried = job.fitter(), [build.memory]
    while excess:
        plan = fitter.smaller(excess)
        squeezed = plan or fitter.smallest()
        build = job.build(squeezed, any_speed=plan is None)
        tried.append(build.memory)
        excess = _excess(build.memory)
        if excess and plan is None:
            raise _too_large(tried)
    return build, squeezed


def _excess(memory: Memory) -> int:
    """Bytes that must leave the flash; what RAM alone is over, no weight can help."""
    over = memory.exceeded()
    return max((need - have for pool, (need, have) in over.items() if not pool.startswith("RAM")), default=0)


def _too_large(tried: list[Memory]) -> FitError:
    memory = min(tried, key=_excess)
    pool, (need, have) = next((p, v) for p, v in memory.exceeded().items() if not p.startswith("RAM"))
    f, r = memory.flash, memory.ram
    limit = "--budget" if pool == "total" else f"--flash {pool.partition('region ')[2]}=".removesuffix(" =")
    hints = [f"{limit}{'' if limit.endswith('=') else ' '}{need} takes this build"]
    if pool == "total" and r.total > need - have:
        hints.insert(0, f"a shorter sequence: RAM is {r.total:,} bytes of it")
    hints.insert(0, "fewer words: --vocab FILE keeps those rows of an embedding whose ids FILE lists")
    hints.append("a smaller model: width, layers or vocabulary")
    kept = f"state {r.state:,}, " if r.state else ""
    return FitError(
        f"--fit can't bring the {pool} below {need:,} bytes, the budget is {have:,}: {need - have:,} too many",
        details=[
            f"that is the smallest of {len(tried)} builds, from all weights in int8 to each in its smallest form",
            f"flash {f.total:,}: weights {f.weights:,}, tables {f.tables:,}, code {f.code or 0:,}",
            f"RAM   {r.total:,}: arena {r.arena:,}, {kept}stack {r.stack or 0:,}, I/O {r.io:,}",
        ],
        hints=hints,
    )


def check_plan(plan: FitPlan, function: Function) -> None:
    """Raises UsageError for a plan that names a weight which the float ``function`` does not have, or a form that does
    not suit the weight."""
    weights = {w.name: w for w in squeezable(function)}
    for c in plan.choices:
        weight = weights.get(c.tensor)
        if weight is None:
            raise UsageError(
                f"the plan names a weight '{c.tensor}', which the model does not have",
                code="E-PLAN",
                hints=[f"its weights are: {', '.join(weights)}"],
            )
        if not c.form.fits(weight.rows, weight.columns):
            raise UsageError(
                f"the plan's form {c.form} does not suit '{c.tensor}' [{weight.rows}, {weight.columns}]", code="E-PLAN"
            )
        if (c.before, c.after) != (weight.nbytes, c.form.stored_bytes(weight.rows, weight.columns)):
            raise UsageError(
                f"the plan's sizes of '{c.tensor}' are wrong",
                code="E-PLAN",
                hints=["give the same --vocab as when the plan was made, and take its file as it is"],
            )
