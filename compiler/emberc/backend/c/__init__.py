"""The C99 backend: integer IR in, a build directory out.

    build.py      ``emit``: all files of the build directory          templates/   the files' frames (jinja2)
    program.py    the ops as C calls, in the plan's order             context.py   what an emitter sees
    registry.py   ``@emitter``; emitters/ has one file a family       kernels.py   which kernel runs, its C files
    constants.py  arrays in flash, by content                         literals.py  numbers and arrays as C text
    interface.py  inputs and outputs as macros and struct fields      naming.py    C identifiers
    golden.py     golden vectors                                      describe.py  the comment above each call
    model.py      instructions of a plan, modelled          traffic.py    accesses to every buffer, modelled
    regions.py    several memories: what lies in which
    write.py      the folder, whole or not at all

An op comes out as one call a line: its emitter builds the call, its kernel in ``runtime_c/kernels`` does the work.
"""

from emberc.backend.c.build import (
    PREFERENCES,
    HeaderInfo,
    emit,
    manifest,
    plan_fast,
    plan_for,
    plan_levels,
    without_contents,
)
from emberc.backend.c.context import EmitContext
from emberc.backend.c.golden import GoldenVector
from emberc.backend.c.kernels import VARIANTS, Kernel, Variant, select_kernel
from emberc.backend.c.model import modelled_instructions
from emberc.backend.c.regions import spread_plan
from emberc.backend.c.registry import Call, check_emitters, emitter
from emberc.backend.c.write import check_output, write_files

__all__ = [
    "PREFERENCES",
    "VARIANTS",
    "Call",
    "EmitContext",
    "GoldenVector",
    "HeaderInfo",
    "Kernel",
    "Variant",
    "check_emitters",
    "check_output",
    "emit",
    "emitter",
    "manifest",
    "modelled_instructions",
    "plan_fast",
    "plan_for",
    "plan_levels",
    "select_kernel",
    "spread_plan",
    "without_contents",
    "write_files",
]
