"""The cycle models by name; a target's TOML names one."""

from __future__ import annotations

from emberc.errors import TargetError
from emberc.harness.cycles.dual_issue import CortexM7
from emberc.harness.cycles.helium import CortexM55
from emberc.harness.cycles.instruction import CycleModel
from emberc.harness.cycles.scalar import CortexM3, CortexM4, Rv32

CYCLE_MODELS: dict[str, CycleModel] = {
    "cortex-m3": CortexM3(),
    "cortex-m4": CortexM4(),
    "cortex-m7": CortexM7(),
    "cortex-m55": CortexM55(),
    "rv32": Rv32(),
}


def cycle_model(name: str) -> CycleModel:
    """The model of that name. Raises TargetError for an unknown one."""
    if name not in CYCLE_MODELS:
        raise TargetError(f"unknown cycle model '{name}'", details=[f"known: {', '.join(CYCLE_MODELS)}"])
    return CYCLE_MODELS[name]
