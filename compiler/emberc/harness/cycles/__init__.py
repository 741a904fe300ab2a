"""Cycle models: what a straight-line block of instructions would take on a processor.

Every figure here is *modelled*: zero wait states, no caches, no bus contention, block by block. Where a processor's
manual has a timing table, the model follows it (Cortex-M3, Cortex-M4); where none is published, it is an
approximation of the pipeline (Cortex-M7 and Cortex-M55, to be taken as ±20 %; RV32 a generic core). Each model's
docstring says which. Instruction counts, by contrast, are exact.
"""

from emberc.harness.cycles.instruction import CycleModel, Instruction
from emberc.harness.cycles.models import CYCLE_MODELS, cycle_model

__all__ = ["CYCLE_MODELS", "CycleModel", "Instruction", "cycle_model"]
