"""Budgets: what a build may take, and what to say when it takes more."""

from __future__ import annotations

from emberc.errors import FitError, UsageError
from emberc.ir.graph import Module
from emberc.memory import peak
from emberc.report.model import Memory

DEFAULT_BUDGET = 2 * 1024 * 1024

_UNITS = {"": 1, "b": 1, "k": 1000, "kb": 1000, "m": 10**6, "mb": 10**6, "kib": 1024, "mib": 1024**2}


def parse_bytes(text: str) -> int:
    """``"2MiB"``, ``"512kB"``, ``"131072"`` as bytes. Raises UsageError for anything else."""
    digits = text.strip().rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
    unit = text.strip()[len(digits) :].strip().lower()
    try:
        value = float(digits) * _UNITS[unit]
    except (ValueError, KeyError):
        raise UsageError(f"'{text}' is not a size", hints=["write bytes, or 512KiB, 2MiB, 300kB"]) from None
    if value <= 0 or value != int(value):
        raise UsageError(f"'{text}' is not a whole number of bytes above 0")
    return int(value)


def check_budget(module: Module, memory: Memory, *, enforced: bool) -> None:
    """Raises FitError for a limit that was set and is exceeded; the default total is only noted.

    The error says what is required, available and in excess, where the peak is, and what would fit.
    """
    over = memory.exceeded()
    hard = {pool: v for pool, v in over.items() if enforced or pool != "total"}
    if not over:
        return
    lines, hints = _explain(module, memory, over)
    if hard:
        pool, (required, available) = next(iter(hard.items()))
        raise FitError(
            f"{pool} needs {required:,} bytes, the budget is {available:,}: {required - available:,} too many",
            at=_peak(memory, pool),
            details=lines,
            hints=hints,
        )
    required, available = over["total"]
    module.notes.append(
        f"does not fit the default budget: {required:,} of {available:,} bytes, {required - available:,} too many"
    )
    module.notes += [f"to fit: {h}" for h in hints]


def _region(memory: Memory, pool: str) -> str:
    """The name of the memory that a title of ``Memory.exceeded`` is; "" if it is all of a kind."""
    return next((r.name for r in memory.regions if r.title == pool), "")


def _peak(memory: Memory, pool: str) -> str:
    region = _region(memory, pool)
    top = peak(memory.plan, region) if memory.plan and region else None
    if top is not None:
        return f"{top.node}, where {top.bytes:,} bytes of the arena in {region} are live"
    if region:
        return f"{region}, which has no arena"
    witness = memory.plan.witness if memory.plan else None
    return f"{witness.node}, where {witness.bytes:,} bytes of the arena are live" if witness else "an empty arena"


def _explain(module: Module, memory: Memory, over: dict[str, tuple[int, int]]) -> tuple[list[str], list[str]]:
    f, r = memory.flash, memory.ram
    code = "not measured" if f.code is None else f"{f.code:,}"
    stack = "not measured" if r.stack is None else f"{r.stack:,}"
    lines = [f"{p}: required {need:,}, available {have:,}, excess {need - have:,}" for p, (need, have) in over.items()]
    lines.append(f"flash {f.total:,}: weights {f.weights:,}, tables {f.tables:,}, code {code}")
    kept = f"state {r.state:,}, " if r.state else ""
    lines.append(
        f"RAM   {r.total:,}: arena {r.arena:,} (lower bound {memory.arena_bound:,}), {kept}stack {stack}, I/O {r.io:,}"
    )
    weights = [c for c in module.constants() if c.type.rank > 1]  # tables can't be made smaller
    biggest = sorted(((c.stored_bytes, c.name or "?") for c in weights), reverse=True)[:3]
    lines.append("largest weights: " + ", ".join(f"{name} {size:,}" for size, name in biggest))
    lines += [region.line() for region in memory.regions]
    lines += _live_at_peak(memory, next(iter(over)))
    hints = _rewrites(memory)
    if r.state > r.arena and any("RAM" in pool for pool in over):
        name, size = max(((s.name, _bytes(module, s.name)) for s in module.main.states), key=lambda s: s[1])
        hints.append(f"a model that remembers less: the largest state is {name} ({size:,} bytes)")
    elif not module.is_step and (any("RAM" in pool for pool in over) or r.arena > f.weights):
        shapes = [f"{v.name}={'x'.join(map(str, (*v.shape[:-1], v.shape[-1] // 2)))}" for v in module.main.inputs]
        hints.append("a shorter sequence, exported with dynamic axes: --shape " + " --shape ".join(shapes))
    if biggest and any(pool == "total" or pool.startswith("flash") for pool in over):
        if not module.forms:
            hints.append("--fit squeezes weights, those first that cost least for the bytes saved")
        size, name = biggest[0]
        excess = max(need - have for pool, (need, have) in over.items() if not pool.startswith("RAM"))
        enough = "is enough" if size // 2 >= excess else "saves most, not enough alone"
        hints.append(f"a smaller {name} ({size:,} bytes): halving it (vocabulary, width or rank) {enough}")
    hints.append("the limit that this build needs: " + " ".join(_limits(memory, over)))
    return lines, hints


def _bytes(module: Module, name: str) -> int:
    """Bytes of an input of the main function."""
    return next(v.type.nbytes for v in module.main.inputs if v.name == name)


def _live_at_peak(memory: Memory, pool: str, most: int = 4) -> list[str]:
    """The largest tensors of the witness set, which no placement of this order can do without; in a memory of several
    those at its peak."""
    if memory.plan is None or memory.plan.witness is None:
        return []
    region = _region(memory, pool)
    top = peak(memory.plan, region) if region else None
    if top is not None:
        sizes = sorted((-(memory.plan.tensors.get(n) or memory.plan.scratch[n]).size, n) for n in top.names)
        return ["live at the peak: " + ", ".join(f"{name} {-size:,}" for size, name in sizes[:most])]
    witness = memory.plan.witness
    sizes = sorted(((memory.plan.tensors[t].size, t) for t in witness.tensors), key=lambda s: (-s[0], s[1]))
    live = [
        *((size, name) for size, name in sizes[:most]),
        *([(witness.scratch, "scratch")] if witness.scratch else []),
    ]
    return ["live at the peak: " + ", ".join(f"{name} {size:,}" for size, name in live)]


def _rewrites(memory: Memory) -> list[str]:
    """The planner's other configurations with a smaller arena, largest saving first, each with its price."""
    excess = memory.excess
    chosen = next((p for p in memory.tradeoff if p.chosen), None)
    if chosen is None or not (excess or chosen.excess):
        return []
    hints = []
    for p in (p for p in memory.tradeoff if p.arena < chosen.arena):
        saved, price = chosen.arena - p.arena, p.cost / chosen.cost - 1
        verdict = "fits" if saved >= excess and not p.excess else "not enough alone"
        hints.append(
            f"{p}: {saved:,} bytes less, {price:+.0%} instructions ({verdict}): --ram {memory.ram.total - saved}"
        )
    if not hints and len(memory.tradeoff) > 1:
        hints.append(f"the arena is the smallest of {len(memory.tradeoff)} configurations: {chosen}")
    return hints


def _limits(memory: Memory, over: dict[str, tuple[int, int]]) -> list[str]:
    flags = {"total": "--budget", "flash": "--flash", "RAM": "--ram"}
    flags |= {r.title: f"--{r.kind} {r.name}=" for r in memory.regions}
    return [f"{flags[pool]}{'' if flags[pool].endswith('=') else ' '}{need}" for pool, (need, _) in over.items()]
