"""``emit``: integer IR and its memory plan in, the files of a build directory out."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import jinja2

from emberc.backend.c import (
    emitters,  # noqa: F401 (registers the emitters of all families)
    variants,  # noqa: F401 (and the fast kernels of all instruction sets)
)
from emberc.backend.c.costs import call_rows
from emberc.backend.c.golden import GoldenVector, golden_data
from emberc.backend.c.interface import STATE_ALIGN, interface_of
from emberc.backend.c.kernels import PORTABLE, Kernel, collect_files, select_kernel
from emberc.backend.c.naming import comment_text, model_prefix
from emberc.backend.c.program import Program, build_program
from emberc.backend.c.regions import (
    constants_json,
    flash_regions,
    place_constants,
    ram_regions,
    section_rows,
)
from emberc.backend.c.registry import check_emitters
from emberc.backend.planning import ARENA_ALIGN, FunctionPlan, Overwrites, leaf_ops, plan_function
from emberc.errors import UsageError
from emberc.ir.graph import Function, Module
from emberc.ir.op import Op
from emberc.memory import Pool
from emberc.targets import Target, runtime_root

Files = dict[str, str | bytes]

_TEST_SOURCES = {"test/test_main.c": "ports/common/test_main.c", "test/port.c": "ports/host/port.c"}
_TEST_HEADERS = ("ember_golden.h", "ember_port.h")

#: the lines of an array's initialiser in the weights file
_CONTENTS = re.compile(r"^ {4}[^\n]*\n(?: {4}[^\n]*\n)*", re.M)


@dataclass(frozen=True)
class HeaderInfo:
    """What the generated files say about where they come from: tool version and a hash of the model file."""

    version: str
    model_hash: str


GROWTH = 1.2
"""How much larger fast kernels may make the arena, unless speed is asked for."""

PREFERENCES = ("speed", "balanced", "memory")


def plan_for(function: Function, target: Target, *, prefer: str = "balanced") -> FunctionPlan:
    """The memory plan of ``function`` with the scratch of the kernels that ``target`` runs.

    Fast kernels repack operands, which takes scratch. ``prefer`` "speed" gives it to them; "memory" takes the
    portable kernel wherever the fast one needs more and that makes the arena larger; "balanced" does so, largest first,
    until the arena is no more than a fifth larger than with "memory". Raises UnsupportedError that lists all ops
    without emitter, UsageError for an unknown preference.
    """
    if prefer not in PREFERENCES:
        raise UsageError(f"unknown preference '{prefer}'", hints=["prefer speed, balanced or memory"])
    return plan_levels(function, target)[prefer]


def plan_levels(function: Function, target: Target) -> dict[str, FunctionPlan]:
    """The plan of every preference of ``plan_for``. Raises UnsupportedError that lists all ops without emitter."""
    check_emitters(leaf_ops(function))
    ops = [op for op in leaf_ops(function) if not op.is_view]
    choices = _Choices(target)
    extra = {id(op): choices.extra_scratch(op) for op in ops}
    greedy = sorted((op for op in ops if extra[id(op)] > 0), key=lambda op: -extra[id(op)])
    fast = _plan(function, choices, frozenset())
    if not greedy:
        return dict.fromkeys(PREFERENCES, fast)
    plans = {0: fast, len(greedy): _plan(function, choices, frozenset(map(id, greedy)))}
    least = plans[len(greedy)].arena_bytes
    levels = {"speed": fast}
    for prefer, limit in (("balanced", least * GROWTH), ("memory", least)):
        high = min(count for count, plan in plans.items() if plan.arena_bytes <= limit)
        low = max((count for count in plans if count < high), default=-1)
        while high - low > 1:  # the fewest that are enough
            middle = (low + high) // 2
            plans[middle] = _plan(function, choices, frozenset(map(id, greedy[:middle])))
            low, high = (low, middle) if plans[middle].arena_bytes <= limit else (middle, high)
        levels[prefer] = plans[high]
    return levels


def plan_fast(function: Function, target: Target) -> FunctionPlan:
    """The plan that "speed" prefers, alone. Raises UnsupportedError that lists all ops without emitter."""
    check_emitters(leaf_ops(function))
    return _plan(function, _Choices(target), frozenset())


class _Choices:
    """The kernel of every op on a target, and the portable one, each looked up once for all plans."""

    def __init__(self, target: Target) -> None:
        self.fast = cache(lambda op: select_kernel(op, target.isa))
        self.portable = cache(lambda op: select_kernel(op, (PORTABLE,)))

    def extra_scratch(self, op: Op) -> int:
        """What the fast kernel needs more than the portable one (bytes)."""
        return self.fast(op).scratch_bytes(op) - self.portable(op).scratch_bytes(op)


def _plan(function: Function, choices: _Choices, plain: frozenset[int]) -> FunctionPlan:
    def kernel(op: Op) -> Kernel:
        return choices.portable(op) if id(op) in plain else choices.fast(op)

    def overwrites(op: Op) -> Overwrites:
        return op.overwrites() if op.callee is not None or kernel(op).in_place(op) else {}

    return replace(plan_function(function, lambda op: kernel(op).scratch_bytes(op), overwrites), plain=plain)


def emit(
    module: Module,
    plan: FunctionPlan,
    *,
    target: Target,
    golden: Sequence[GoldenVector],
    header_info: HeaderInfo,
    name: str,
    flash: Sequence[Pool] = (),
    placement: str = "hot",
) -> Files:
    """Path -> content of every file of the build directory but ``report.json``; the same arguments, the same bytes.

    ``plan`` is :func:`plan_for`'s answer for ``module.main``; ``name`` the model's, made a C identifier for files and
    symbols; ``golden`` at least one vector. ``flash`` are the memories for constants where there are several, which
    ``placement`` (``memory.PLACEMENTS``) fills. Raises UnsupportedError for an op without emitter, UsageError if a
    custom op's C file is missing, InternalError for a golden vector that does not fit the model.
    """
    if not golden:
        raise UsageError("a build needs at least one golden vector")
    check_emitters(leaf_ops(plan.function))
    prefix = model_prefix(name)
    interface = interface_of(module.main, prefix)
    program = build_program(plan, target.isa, prefix, interface)
    kernels = collect_files(program.kernels, extra_headers=("ember.h", *_TEST_HEADERS))
    constants = place_constants(plan, program, target, flash, placement) if flash else None
    ram, more_flash = ram_regions(plan, program, target, prefix), flash_regions(program.pool, target, prefix)
    section_of = {r.name: f"{r.macro} " for r in more_flash}
    sources = [f"{prefix}.c", f"{prefix}_weights.c", *kernels.sources]
    common: dict[str, Any] = {
        "prefix": prefix,
        "macro": prefix.upper(),
        "interface": interface,
        "arena_bytes": plan.arena_bytes,
        "arena_align": ARENA_ALIGN,
        "streaming": module.is_step,
        "explicit": module.whole is None,
        "entry": f"{prefix}_step" if module.is_step else f"{prefix}_run",
        "state_align": STATE_ALIGN,
        "sources": sources,
        "regions": ram,
        "flash_regions": more_flash,
        "flash_bytes": {} if constants is None else {a.pool.name: a.bytes for a in constants.arenas},
        "in_flash": {
            a.symbol: section_of.get(program.pool.region_of.get(a.symbol, ""), "") for a in program.pool.arrays
        },
        "init_arguments": "&arenas" if ram else "arena, sizeof arena",
        "banner": block_banner(name, target, header_info, plan),
        "version": header_info.version,
        "target": target,
        **_build_flags(target),
    }
    files = {**kernels.sources, **kernels.headers, **_rendered(common, program, kernels.declared_in, golden)}
    sections = section_rows(ram, more_flash)
    if sections:
        files[f"{prefix}_regions.ld"] = _templates().get_template("regions.ld.j2").render(common)
    for path, source in _TEST_SOURCES.items():
        files[path] = (runtime_root() / source).read_text(encoding="utf-8")
    described = {
        "model": prefix,
        "model_hash": header_info.model_hash,
        "target": target.name,
        "sources": sources,
        "golden": f"{prefix}_golden.c",
        "include_dirs": [".", "include"],
        "vectors": len(golden),
        "arena_bytes": plan.arena_bytes,
        **({"sections": sections} if sections else {}),
        **({"constants": constants_json(constants)} if constants else {}),
        "state_bytes": interface.state_bytes,
        "io_bytes": plan.io_bytes,
        "weights_bytes": program.pool.nbytes("weights"),
        "tables_bytes": program.pool.nbytes("tables"),
        "entry": common["entry"],
        "calls": call_rows(program),
        "files": sorted([*files, "manifest.json"]),
    }
    files["manifest.json"] = json.dumps(described, indent=1) + "\n"
    return files


def _rendered(
    common: dict[str, Any], program: Program, kernel_headers: Sequence[str], golden: Sequence[GoldenVector]
) -> Files:
    """The files that every build has a template for; ``common`` is what all of them read."""
    prefix = common["prefix"]
    files: Files = {}
    for path, template, extra in (
        (f"{prefix}.h", "model.h.j2", {}),
        (f"{prefix}.c", "model.c.j2", {"program": program, "headers": kernel_headers}),
        (f"{prefix}_weights.h", "weights.h.j2", {"pool": program.pool}),
        (f"{prefix}_weights.c", "weights.c.j2", {"pool": program.pool}),
        (f"{prefix}_golden.c", "golden.c.j2", golden_data(golden, common["interface"])),
        ("Makefile", "Makefile.j2", {}),
        ("CMakeLists.txt", "CMakeLists.txt.j2", {}),
        ("README.md", "README.md.j2", {}),
    ):
        files[path] = _templates().get_template(template).render(common | extra)
    return files


def _build_flags(target: Target) -> dict[str, str]:
    """For the README of a build: the target's compiler and flags, and what ``make`` is told of them."""
    command, *options = [*target.toolchain.compiler, *target.toolchain.cflags]
    flags = " ".join([command, target.opt, *options])
    if not command.endswith("-gcc"):
        return {"flags": flags, "cross": ""}
    archiver = command.removesuffix("gcc") + "ar"
    return {"flags": flags, "cross": f' CC={command} AR={archiver} CFLAGS="{" ".join([target.opt, *options])}"'}


def manifest(files: Files) -> dict[str, Any]:
    """The content of ``manifest.json`` among the files of a build: sizes in bytes, sources, the entry function."""
    found: dict[str, Any] = json.loads(files["manifest.json"])
    return found


def without_contents(files: Files) -> Files:
    """The same build with zeros for weights and tables: code, stack and sizes are the same, and a compiler is spared
    what takes it longest."""
    name = f"{manifest(files)['model']}_weights.c"
    return {**files, name: _CONTENTS.sub("    0,\n", str(files[name]))}


def block_banner(name: str, target: Target, info: HeaderInfo, plan: FunctionPlan) -> str:
    """The comment that opens every generated file: tool, model, target and the memory certificate."""
    memory = plan.memory
    proof = (
        "in all"
        if memory.spread
        else "proved: no order or placement needs less"
        if memory.proved
        else f"lower bound {memory.any_order_bound}"
    )
    return "\n".join(
        [
            f"/* {comment_text(name)}: generated by emberc {comment_text(info.version)}, do not edit.",
            " *",
            f" * model   {comment_text(info.model_hash)}",
            f" * target  {target.name} ({comment_text(target.title)})",
            f" * arena   {plan.arena_bytes} bytes, {proof}",
            " */",
        ]
    )


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("emberc.backend.c"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
