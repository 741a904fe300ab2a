"""The memories of a target as the planner's pools: their sizes, the limits that were set, and what is taken already.

Stack and arenas share RAM, and so do the caller's buffers and context: the stack is taken from the region that the
target says (``stack_in``), the others from that of ``.data`` and ``.bss`` (``data_in``), and arenas get the rest. Code
and the parameters of calls lie in the first flash region, constants where they are read fastest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from emberc.backend import FunctionPlan
from emberc.backend.c import spread_plan
from emberc.backend.c.interface import interface_of
from emberc.errors import UsageError
from emberc.memory import Access, Pool, Spread
from emberc.report import RegionUse, Waits
from emberc.targets import Region, Target


@dataclass(frozen=True)
class Limits:
    """What a build may take, in bytes; None: no limit of that kind. ``regions`` by the name of the target's memory."""

    budget: int | None = None
    flash: int | None = None
    ram: int | None = None
    regions: Mapping[str, int] = field(default_factory=dict)

    @property
    def pools(self) -> dict[str, int]:
        """The limits of all flash and of all RAM that were set."""
        return {k: v for k, v in {"flash": self.flash, "RAM": self.ram}.items() if v is not None}

    def of(self, region: Region) -> int:
        """Bytes of a region that may be used."""
        return min(region.size, self.regions.get(region.name, region.size))

    def checked(self, target: Target) -> Limits:
        """The limits by the names that the target has; that of its only RAM or flash is the limit of all of it.

        Raises UsageError for an unknown region and for limits that contradict each other, with every reason.
        """
        names = _resolved(self.regions, target)
        wrong = list(_contradictions(replace(self, regions=names), target))
        if wrong:
            raise UsageError(
                "the limits contradict each other" if len(wrong) > 1 else wrong[0],
                details=wrong if len(wrong) > 1 else [],
                hints=["leave out one of the two: what is not limited is planned within what is"],
            )
        flash, ram = _least(self.flash, names, target.flash), _least(self.ram, names, target.ram)
        return Limits(self.budget, flash, ram, names)


def _resolved(regions: Mapping[str, int], target: Target) -> dict[str, int]:
    """Limits by the names that the target has, which are asked for in any case. Raises UsageError."""
    known = {r.name.lower(): r.name for r in (*target.ram, *target.flash)}
    unknown = [name for name in regions if name.lower() not in known]
    if unknown:
        ram, flash = (", ".join(r.name for r in some) or "none" for some in (target.ram, target.flash))
        raise UsageError(
            f"{target.name} has no region {', '.join(map(repr, unknown))}",
            details=[f"RAM regions: {ram}", f"flash regions: {flash}"],
            hints=["a TOML file describes the regions of a board: --target ./my_board.toml"],
        )
    return {known[name.lower()]: size for name, size in regions.items()}


def _least(limit: int | None, names: Mapping[str, int], regions: tuple[Region, ...]) -> int | None:
    """``limit``, and that of the region where there is but one."""
    own = [names[r.name] for r in regions if len(regions) == 1 and r.name in names]
    found = [n for n in (limit, *own) if n is not None]
    return min(found, default=None)


def _contradictions(limits: Limits, target: Target) -> Iterator[str]:
    sizes = {r.name: r.size for r in (*target.ram, *target.flash)}
    for name, size in limits.regions.items():
        if size > sizes[name]:
            yield f"{name} is limited to {size:,} bytes, but has only {sizes[name]:,}"
        if limits.budget is not None and size > limits.budget:
            yield f"{name} is allowed {size:,} bytes, --budget only {limits.budget:,} for RAM and flash together"
    for flag, limit, some in (("--ram", limits.ram, target.ram), ("--flash", limits.flash, target.flash)):
        if limit is None:
            continue
        if limits.budget is not None and limit > limits.budget:
            yield f"{flag} allows {limit:,} bytes, --budget only {limits.budget:,} for RAM and flash together"
        for region in some:
            if limits.regions.get(region.name, 0) > limit:
                yield f"{flag} allows {limit:,} bytes in all, but {limits.regions[region.name]:,} in {region.name}"


@dataclass(frozen=True)
class Regions:
    """Where a build for ``target`` places, within ``limits``; ``rule`` is one of ``memory.PLACEMENTS``."""

    target: Target
    limits: Limits
    rule: str

    def ram_pools(self, plan: FunctionPlan, stack: int) -> list[Pool]:
        """What ``stack`` bytes and the caller's buffers and context leave for arenas; empty for a single RAM."""
        data = plan.io_bytes + interface_of(plan.function, "").state_bytes
        taken = {r.name: 0 for r in self.target.ram}
        if len(taken) < 2:
            return []
        taken[self.target.stack_in] += stack
        taken[self.target.data_in] += data
        return [_pool(r, self.limits.of(r) - taken[r.name]) for r in self.target.ram]

    def flash_pools(self, code: int) -> list[Pool]:
        """What is left for constants beside ``code`` bytes; empty for a single flash."""
        if len(self.target.flash) < 2:
            return []
        return [_pool(r, self.limits.of(r) - (code if i == 0 else 0)) for i, r in enumerate(self.target.flash)]

    def split(self, plan: FunctionPlan, stack: int) -> FunctionPlan:
        """The plan over the RAM regions; as it is where there is but one."""
        pools = self.ram_pools(plan, stack)
        return spread_plan(plan, self.target, pools, self.rule) if pools else plan

    def uses(
        self, plan: FunctionPlan, constants: Mapping[str, int], code: int, stack: int, state: int, io: int
    ) -> list[RegionUse]:
        """What lies in each region of a kind that there is more than one of; ``constants`` are bytes by region."""
        rows = []
        spread = plan.memory.spread
        if spread is not None:
            bounds = {a.pool.name: a.bound for a in spread.arenas}
            for r in self.target.ram:
                parts = {"arena": dict(plan.arenas)[r.name]}
                parts |= {"stack": stack} if r.name == self.target.stack_in else {}
                parts |= {"state": state, "I/O": io} if r.name == self.target.data_in else {}
                rows.append(RegionUse(r.name, "ram", self.limits.of(r), parts, bounds[r.name]))
        if len(self.target.flash) > 1:
            for i, r in enumerate(self.target.flash):
                parts = {"constants": constants.get(r.name, 0), **({"code": code} if i == 0 else {})}
                rows.append(RegionUse(r.name, "flash", self.limits.of(r), parts))
        return rows

    def waits(self, plan: FunctionPlan, constants: Mapping[str, int], stack: int) -> Waits | None:
        """What accesses wait, against placement by size; ``constants`` are the waits in ``manifest.json``."""
        found = [Waits(*(constants[key] for key in _WAITS))] if constants else []
        if plan.memory.spread is not None:
            found.append(self._arena_waits(plan, plan.memory.spread, stack))
        return sum(found[1:], found[0]) if found else None

    def _arena_waits(self, plan: FunctionPlan, spread: Spread, stack: int) -> Waits:
        pools = self.ram_pools(plan, stack)
        by_size = spread_plan(plan, self.target, pools, "size").memory.spread
        slow = max(pools, key=lambda p: p.read_wait + p.write_wait)
        regions = (*plan.memory.tensors.values(), *plan.memory.scratch.values())
        all_slow = sum((region.access for region in regions), Access()).waits(slow)
        return Waits(spread.waits, spread.waits_bound, by_size.waits if by_size else 0, all_slow)


_WAITS = ("waits", "waits_bound", "waits_by_size", "waits")


def _pool(region: Region, capacity: int) -> Pool:
    return Pool(region.name, max(0, capacity), region.read_wait, region.write_wait)
