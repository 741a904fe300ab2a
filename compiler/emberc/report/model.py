"""The report of one compilation: what was measured, as plain data that prints and serialises.

Bytes are bytes, ``None`` stands for what could not be measured on this machine (no cross compiler), never for a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from emberc.memory import Plan
from emberc.quant.layers import LayerAccuracy
from emberc.quant.widen import Choice
from emberc.report.regions import RegionUse, Waits, regions_from_json, regions_json
from emberc.report.tradeoff import Point


@dataclass(frozen=True)
class Flash:
    """Read-only bytes: weights, look-up tables and kernel parameters, code."""

    weights: int
    tables: int
    code: int | None

    @property
    def total(self) -> int:
        return self.weights + self.tables + (self.code or 0)


@dataclass(frozen=True)
class Ram:
    """Writable bytes: arena, state between calls, worst-case stack, the caller's input and output buffers."""

    arena: int
    state: int
    stack: int | None
    io: int

    @property
    def total(self) -> int:
        return self.arena + self.state + (self.stack or 0) + self.io


@dataclass(frozen=True)
class Memory:
    """The three pools. ``arena_bound`` is what no order and placement can go below; ``arena_proved``: it is met.

    ``plan`` is None in a report that was read back: ``memory_plan.json`` holds it. ``tradeoff``: RAM against
    instructions, the configurations that no other beats in both, smallest arena first. ``regions`` and ``waits`` are
    those of a target with several memories of a kind.
    """

    flash: Flash
    ram: Ram
    budget: int
    arena_bound: int
    arena_proved: bool
    plan: Plan | None
    limits: dict[str, int] = field(default_factory=dict)
    tradeoff: list[Point] = field(default_factory=list)
    regions: list[RegionUse] = field(default_factory=list)
    waits: Waits | None = None

    @property
    def total(self) -> int:
        return self.flash.total + self.ram.total

    @property
    def excess(self) -> int:
        """By how many bytes a smaller arena would do: the most by which RAM or the total are over their limits."""
        return max(
            (need - have for pool, (need, have) in self.exceeded().items() if pool in ("RAM", "total")), default=0
        )

    def exceeded(self) -> dict[str, tuple[int, int]]:
        """Pools over their limit: name -> (required, available)."""
        have = {"total": self.total, "flash": self.flash.total, "RAM": self.ram.total}
        limits = {"total": self.budget, **self.limits}
        over = {k: (have[k], limit) for k, limit in limits.items() if have[k] > limit}
        return over | {r.title: (r.required, r.available) for r in self.regions if r.required > r.available}

    def to_json(self) -> dict[str, Any]:
        flash, ram = asdict(self.flash), asdict(self.ram)
        return {
            "flash": {**flash, "total": self.flash.total},
            "ram": {**ram, "total": self.ram.total},
            "total": self.total,
            "budget": self.budget,
            "limits": dict(sorted(self.limits.items())),
            "fits": not self.exceeded(),
            "arena_bound": self.arena_bound,
            "arena_proved": self.arena_proved,
            "tradeoff": [asdict(p) for p in self.tradeoff],
            **regions_json(self.regions, self.waits),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Memory:
        """The inverse of ``to_json``, the plan apart. Raises KeyError or TypeError for anything else."""
        flash, ram = data["flash"], data["ram"]
        return Memory(
            Flash(flash["weights"], flash["tables"], flash["code"]),
            Ram(ram["arena"], ram["state"], ram["stack"], ram["io"]),
            data["budget"],
            data["arena_bound"],
            data["arena_proved"],
            None,
            dict(data["limits"]),
            [Point(**p) for p in data["tradeoff"]],
            *regions_from_json(data),
        )


@dataclass(frozen=True)
class Accuracy:
    """One output, firmware against the float model on held-back samples.

    ``sqnr_db``: signal to quantization noise, 10 log10(sum x^2 / sum (x - y)^2). ``top1_agreement``: share of rows
    whose largest element is at the same place.
    """

    sqnr_db: float | None
    cosine: float
    top1_agreement: float


@dataclass(frozen=True)
class Fit:
    """What ``--fit`` chose. ``choices``: tensor, form, bytes before and after, loss of this form alone. ``loss``: noise
    to signal of the model's outputs with all of them."""

    loss: float
    choices: list[dict[str, Any]]


@dataclass(frozen=True)
class Report:
    """All of it. ``accuracy`` is by output name, over ``accuracy_samples`` samples against ``accuracy_reference``.

    ``layers``: accuracy value by value, worst first. ``largest``: constants and their bytes, largest first.
    ``choices``: which weights and values got 16 bits, costliest at 8 bits first; none where int8 is
    enough.
    """

    model: str
    target: str
    integer_only: bool
    macs: int
    memory: Memory
    accuracy: dict[str, Accuracy]
    accuracy_samples: int
    accuracy_reference: str
    synthetic: bool
    ops: dict[str, int]
    layers: list[LayerAccuracy]
    largest: list[tuple[str, int]]
    notes: list[str]
    stages: list[tuple[str, str, float]]
    fit: Fit | None = None
    choices: list[Choice] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return sum(s for _, _, s in self.stages)

    def to_json(self, *, timings: bool = True) -> dict[str, Any]:
        """The JSON that ``emberc compile --json`` prints; without timings it is the same for the same input."""
        data: dict[str, Any] = {
            "model": self.model,
            "target": self.target,
            "integer_only": self.integer_only,
            "macs": self.macs,
            "memory": self.memory.to_json(),
            "accuracy": {k: asdict(a) for k, a in self.accuracy.items()},
            "accuracy_samples": self.accuracy_samples,
            "accuracy_reference": self.accuracy_reference,
            "synthetic_calibration": self.synthetic,
            "ops": self.ops,
            "layers": [layer.to_json() for layer in self.layers],
            "largest": [{"name": n, "bytes": b} for n, b in self.largest],
            "notes": self.notes,
        }
        if self.fit is not None:
            data["fit"] = asdict(self.fit)
        if self.choices:
            data["choices"] = [choice.to_json() for choice in self.choices]
        if timings:
            data["seconds"] = round(self.seconds, 3)
            data["stages"] = [{"stage": s, "did": d, "seconds": round(t, 3)} for s, d, t in self.stages]
        return data

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Report:
        """A report from what ``to_json`` gave. Raises KeyError or TypeError for anything else."""
        return Report(
            model=data["model"],
            target=data["target"],
            integer_only=data["integer_only"],
            macs=data["macs"],
            memory=Memory.from_json(data["memory"]),
            accuracy={name: Accuracy(**a) for name, a in data["accuracy"].items()},
            accuracy_samples=data["accuracy_samples"],
            accuracy_reference=data["accuracy_reference"],
            synthetic=data["synthetic_calibration"],
            ops=dict(data["ops"]),
            layers=[LayerAccuracy(**layer) for layer in data["layers"]],
            largest=[(c["name"], c["bytes"]) for c in data["largest"]],
            notes=list(data["notes"]),
            stages=[(s["stage"], s["did"], s["seconds"]) for s in data.get("stages", [])],
            fit=Fit(**data["fit"]) if "fit" in data else None,
            choices=[Choice(**c) for c in data.get("choices", [])],
        )
