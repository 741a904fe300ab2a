"""A fit plan as data: the file ``fit_plan.json``."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emberc.errors import UsageError
from emberc.quant.forms import Form, parse_form
from emberc.report import Fit

FORMAT = "emberc fit plan 1"


@dataclass(frozen=True)
class Choice:
    """One weight: its form, its bytes in flash before (int8) and after, and the measured loss of this form alone."""

    tensor: str
    form: Form
    before: int
    after: int
    loss: float

    def to_json(self) -> dict[str, Any]:
        return {
            "tensor": self.tensor,
            "form": str(self.form),
            "before": self.before,
            "after": self.after,
            "loss": self.loss,
        }


@dataclass(frozen=True)
class FitPlan:
    """Which weights of the model with SHA-256 ``model`` take which form; weights that are not named stay int8.

    ``loss`` is measured with all of them in their forms at once: noise to signal of the model's outputs.
    """

    model: str
    choices: tuple[Choice, ...]
    loss: float

    @property
    def forms(self) -> dict[str, Form]:
        """Form by weight, as ``Module.forms`` wants it."""
        return {c.tensor: c.form for c in self.choices}

    def to_report(self) -> Fit:
        """What the report says of it."""
        return Fit(self.loss, [c.to_json() for c in self.choices])

    def to_text(self) -> str:
        """The content of ``fit_plan.json``; ``read_plan`` is the inverse."""
        data = {
            "format": FORMAT,
            "model": self.model,
            "loss": self.loss,
            "choices": [c.to_json() for c in self.choices],
        }
        return json.dumps(data, indent=1) + "\n"


def read_plan(path: str | Path, model: str) -> FitPlan:
    """A plan file for the model with that SHA-256.

    Raises UsageError, with the reason, for a file that can't be read, is no plan, or was made for another model.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as e:
        reason = e.strerror if isinstance(e, OSError) and e.strerror else "not text"
        raise UsageError(f"cannot read the plan: {reason}", code="E-PLAN", at=str(path)) from None
    try:
        plan = _parse(json.loads(text))
    except (ValueError, RecursionError):
        raise _bad(path, "not JSON") from None
    except KeyError as e:
        raise _bad(path, f"'{e.args[0]}' is missing") from None
    except TypeError as e:
        raise _bad(path, str(e)) from None
    except UsageError as e:
        raise _bad(path, e.message) from None
    if plan.model != model:
        raise UsageError(
            "the plan was made for another model",
            code="E-PLAN",
            at=str(path),
            details=[f"the plan's model {plan.model[:16]}..., this one {model[:16]}..."],
            hints=["--fit makes a plan for this model"],
        )
    return plan


def _bad(path: str | Path, reason: str) -> UsageError:
    return UsageError(
        f"not a fit plan: {reason}", code="E-PLAN", at=str(path), hints=["take fit_plan.json of a build as it is"]
    )


def _parse(data: object) -> FitPlan:
    top = _record(data, "the plan")
    if top["format"] != FORMAT:
        raise TypeError(f"its format is {top['format']!r}, this emberc reads '{FORMAT}'")
    rows = top["choices"]
    if not isinstance(rows, list):
        raise TypeError("'choices' is no list")
    choices = tuple(_choice(_record(row, "a choice")) for row in rows)
    names = [c.tensor for c in choices]
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice is not None:
        raise TypeError(f"'{twice}' is chosen twice")
    return FitPlan(_text(top, "model"), choices, _number(top, "loss"))


def _choice(row: Mapping[str, Any]) -> Choice:
    form = parse_form(row["form"])
    return Choice(_text(row, "tensor"), form, _count(row, "before"), _count(row, "after"), _number(row, "loss"))


def _record(data: object, what: str) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise TypeError(f"{what} is no object")
    return data


def _text(row: Mapping[str, Any], key: str) -> str:
    if not isinstance(row[key], str):
        raise TypeError(f"'{key}' is no text")
    return str(row[key])


def _count(row: Mapping[str, Any], key: str) -> int:
    value = row[key]
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"'{key}' is no number of bytes")
    return value


def _number(row: Mapping[str, Any], key: str) -> float:
    value = row[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise TypeError(f"'{key}' is no number")
    return float(value)
