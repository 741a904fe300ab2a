"""Memories of a target that has several: what lies in each, and what accesses wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class RegionUse:
    """One memory: ``parts`` are bytes by what they are for; ``available`` is its size, or a limit that was set.

    ``bound`` is what no placement of the arena's buffers can go below; None in flash, which has no arena.
    """

    name: str
    kind: str
    available: int
    parts: dict[str, int]
    bound: int | None = None

    @property
    def required(self) -> int:
        return sum(self.parts.values())

    @property
    def title(self) -> str:
        """``RAM region DTCM``"""
        return f"{'RAM' if self.kind == 'ram' else 'flash'} region {self.name}"

    def line(self) -> str:
        """``DTCM      41,216 of 131,072 bytes   arena 40,192 (= bound, proved)  stack 1,024``"""
        parts = [f"{part} {n:,}{self._proof() if part == 'arena' and n else ''}" for part, n in self.parts.items()]
        return f"{self.name:<9} {self.required:>9,} of {self.available:,} bytes   {'  '.join(parts)}"

    def _proof(self) -> str:
        if self.bound is None:
            return ""
        return " (= bound, proved)" if self.parts["arena"] == self.bound else f" (bound {self.bound:,})"


@dataclass(frozen=True)
class Waits:
    """Modelled cycles that the accesses of a run to arenas and constants wait.

    ``bound``: no placement waits less. ``by_size``: with the largest first into the first memory with room.
    ``slowest``: with all arenas in the slowest RAM and the constants as placed.
    """

    placed: int
    bound: int
    by_size: int
    slowest: int

    def __add__(self, other: Waits) -> Waits:
        return Waits(
            self.placed + other.placed,
            self.bound + other.bound,
            self.by_size + other.by_size,
            self.slowest + other.slowest,
        )

    def line(self) -> str:
        """One line for the report."""
        proof = "proved least" if self.placed == self.bound else f"no placement waits less than {self.bound:,}"
        return (
            f"{self.placed:,} cycles a run (modelled; {proof}); placed by size {self.by_size:,}, "
            f"arenas in the slowest RAM {self.slowest:,}"
        )


def regions_json(regions: list[RegionUse], waits: Waits | None) -> dict[str, Any]:
    """What ``report.json`` says of them; nothing where there is but one memory of a kind."""
    if not regions:
        return {}
    rows = [{**asdict(r), "required": r.required} for r in regions]
    return {"regions": rows, "waits": asdict(waits) if waits else None}


def regions_from_json(data: Mapping[str, Any]) -> tuple[list[RegionUse], Waits | None]:
    """The inverse. Raises KeyError or TypeError for anything else."""
    fields = ("name", "kind", "available", "parts", "bound")
    regions = [RegionUse(**{key: row[key] for key in fields}) for row in data.get("regions", [])]
    waits = data.get("waits")
    return regions, Waits(**waits) if waits else None


def region_lines(regions: list[RegionUse], waits: Waits | None) -> list[str]:
    """The lines of the text report."""
    lines = [f"{'' if i else 'regions':<11}{region.line()}" for i, region in enumerate(regions)]
    return lines + ([f"{'waits':<11}{waits.line()}"] if waits else [])
