"""Passes and the manager that runs them.

A pass is a frozen dataclass: its name, a docstring that says what it does and why, its options as typed fields,
``requires`` and ``ensures`` as pre- and postconditions. The manager runs a pipeline (a readable list), times each
pass, verifies the module after each, can print it after one and stop after one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from importlib.metadata import entry_points
from typing import Any, ClassVar

from emberc.errors import EmberError, UsageError, VerifyError
from emberc.ir.graph import Module
from emberc.ir.printer import print_module
from emberc.ir.rewrite import Rule, apply_rules
from emberc.ir.verifier import verify

PASSES: dict[str, type[Pass]] = {}


@dataclass(frozen=True)
class Pass:
    """Base of all passes. Subclasses set ``name`` and define ``run``; options are dataclass fields with defaults."""

    name: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        name = vars(cls).get("name")
        if not name:
            return
        known = PASSES.get(name)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise UsageError(
                f"pass '{name}' is already defined by {known.__module__}.{known.__qualname__}",
                hints=["give the pass a name of its own; Pipeline.replace puts it in another's place"],
            )
        PASSES[name] = cls

    def requires(self, module: Module) -> None:
        """Raises VerifyError when the module is not one that this pass can take."""

    def run(self, module: Module) -> bool:
        """Changes ``module`` in place; returns whether it did."""
        raise VerifyError(f"pass '{self.name}' defines no run")

    def ensures(self, module: Module) -> None:
        """Raises VerifyError when the pass did not do what it promises."""

    def __str__(self) -> str:
        options = [f"{f.name.replace('_', '-')}={getattr(self, f.name)}" for f in fields(self)]
        return self.name + ("{" + " ".join(options) + "}" if options else "")


@dataclass(frozen=True)
class RewritePass(Pass):
    """A pass that is a list of rules, applied greedily to every function until none matches."""

    def rules(self) -> Sequence[Rule]:
        """Patterns, each with the function that builds its replacement (None: leave this match alone)."""
        raise VerifyError(f"pass '{self.name}' defines no rules")

    def run(self, module: Module) -> bool:
        rules = self.rules()
        return any([apply_rules(f, rules) for f in module.functions.values()])


class Pipeline:
    """An ordered list of passes; every change returns a new pipeline."""

    def __init__(self, passes: Iterable[Pass]) -> None:
        self.passes = list(passes)

    def __iter__(self) -> Iterator[Pass]:
        return iter(self.passes)

    def __str__(self) -> str:
        return ",".join(map(str, self.passes))

    def names(self) -> list[str]:
        return [p.name for p in self.passes]

    def insert_before(self, name: str, *new: Pass) -> Pipeline:
        i = self._index(name)
        return Pipeline([*self.passes[:i], *new, *self.passes[i:]])

    def insert_after(self, name: str, *new: Pass) -> Pipeline:
        i = self._index(name) + 1
        return Pipeline([*self.passes[:i], *new, *self.passes[i:]])

    def replace(self, name: str, *new: Pass) -> Pipeline:
        i = self._index(name)
        return Pipeline([*self.passes[:i], *new, *self.passes[i + 1 :]])

    def remove(self, name: str) -> Pipeline:
        return self.replace(name)

    def before(self, name: str) -> Pipeline:
        """The passes in front of the first one of that name."""
        return Pipeline(self.passes[: self._index(name)])

    def require(self, name: str) -> None:
        """Raises UsageError unless a pass of that name is in the list."""
        if name not in self.names():
            raise UsageError(f"the pipeline has no pass '{name}'", hints=[f"its passes are: {', '.join(self.names())}"])

    def _index(self, name: str) -> int:
        self.require(name)
        return self.names().index(name)


@dataclass
class PassManager:
    """Runs a pipeline. ``print_after`` and ``stop_after`` are pass names; ``progress`` hears of each pass."""

    pipeline: Pipeline
    print_after: frozenset[str] = frozenset()
    stop_after: str | None = None
    emit_text: Callable[[str], None] = print
    progress: Callable[[str], None] | None = None

    def run(self, module: Module) -> dict[str, float]:
        """Runs every pass; returns seconds by pass name.

        Raises what the pass raises; VerifyError, naming the pass, when it leaves a broken module; UsageError when
        ``print_after`` or ``stop_after`` names a pass that the pipeline does not have.
        """
        for name in [*sorted(self.print_after), *([self.stop_after] if self.stop_after else [])]:
            self.pipeline.require(name)
        seconds: dict[str, float] = {}
        verify(module)
        for p in self.pipeline:
            if self.progress:
                self.progress(p.name)
            start = time.perf_counter()
            self._run_one(p, module)
            seconds[p.name] = seconds.get(p.name, 0.0) + time.perf_counter() - start
            if p.name in self.print_after:
                self.emit_text(f"// after {p}\n{print_module(module)}")
            if p.name == self.stop_after:
                break
        return seconds

    @staticmethod
    def _run_one(p: Pass, module: Module) -> None:
        try:
            p.requires(module)
            p.run(module)
            p.ensures(module)
        except EmberError as e:
            e.at = e.at or f"pass '{p.name}'"
            raise
        except Exception as e:
            raise VerifyError(f"pass '{p.name}' failed: {type(e).__name__}: {e}", code="E-PASS") from e
        verify(module, after=p.name)


_SPEC = re.compile(r"([A-Za-z0-9_-]+)(?:\{([^}]*)\})?\s*(?:,|$)")


def parse_pipeline(text: str) -> Pipeline:
    """``"fuse-gelu,quantize{activations=minmax}"`` to a pipeline. Raises UsageError for unknown names or options."""
    load_entry_points()
    passes: list[Pass] = []
    at = 0
    text = text.strip()
    while at < len(text):
        m = _SPEC.match(text, at)
        if m is None:
            raise UsageError(f"can't read the pipeline at '{text[at:]}'", hints=["write it as a,b{option=1 other=x},c"])
        passes.append(make_pass(m.group(1), dict(_option(o) for o in (m.group(2) or "").split())))
        at = m.end()
        while at < len(text) and text[at].isspace():
            at += 1
    return Pipeline(passes)


def make_pass(name: str, options: dict[str, str]) -> Pass:
    """A pass from its name and its options as text."""
    if name not in PASSES:
        raise UsageError(f"unknown pass '{name}'", hints=["emberc passes lists them"])
    cls = PASSES[name]
    types = option_types(cls)
    values: dict[str, Any] = {}
    for key, text in options.items():
        field = key.replace("-", "_")
        if field not in types:
            known = ", ".join(t.replace("_", "-") for t in types) or "none"
            raise UsageError(f"pass '{name}' has no option '{key}'", hints=[f"its options are: {known}"])
        values[field] = _convert(text, types[field], f"{name}{{{key}}}")
    return cls(**values)


def option_types(cls: type[Pass]) -> dict[str, str]:
    """The name of each option's type; annotations are text only where the module postpones their evaluation."""
    return {
        f.name: f.type if isinstance(f.type, str) else getattr(f.type, "__name__", str(f.type)) for f in fields(cls)
    }


def load_entry_points() -> None:
    """Imports what installed packages offer under the entry point group ``emberc.passes``.

    Raises UsageError, naming the entry point, for one that can't be imported.
    """
    for ep in entry_points(group="emberc.passes"):
        if ep.name not in PASSES:
            try:
                ep.load()
            except Exception as e:
                raise UsageError(
                    f"can't load the pass '{ep.name}' from {ep.value}: {type(e).__name__}: {e}",
                    hints=[f"mend or uninstall {ep.dist.name if ep.dist else 'the package that offers it'}"],
                ) from e


def _option(text: str) -> tuple[str, str]:
    key, sep, value = text.partition("=")
    if not sep:
        raise UsageError(f"pass option '{text}' has no value", hints=["write option=value"])
    return key, value


def _convert(text: str, kind: str, where: str) -> Any:
    try:
        if kind.startswith("bool"):
            return {"true": True, "false": False, "1": True, "0": False}[text.lower()]
        if kind.startswith("int"):
            return int(text)
        return float(text) if kind.startswith("float") else text
    except (KeyError, ValueError):
        words = (
            "true or false" if kind.startswith("bool") else "a whole number" if kind.startswith("int") else "a number"
        )
        raise UsageError(f"{where} is {words}, not '{text}'", hints=[f"write {where[:-1]}=VALUE}}"]) from None
