"""Backends: integer IR in, sources out.

    planning.py  what the memory planner is told about a function, and where each value then lives
    c/           the C99 backend: emitters, weight files, templates, the build directory

May import ir, memory, targets and errors; nothing of the frontend, the passes or the driver.
"""

from emberc.backend.planning import FunctionPlan, Place, plan_function

__all__ = ["FunctionPlan", "Place", "plan_function"]
