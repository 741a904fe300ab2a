"""Fitting a model into its budget: which weights take which form, by measured loss for bytes saved.

``measure_forms`` squeezes one weight at a time and looks at the model's outputs, ``choose`` picks a form for every
weight so that enough bytes are saved at the least loss, ``FitPlan`` is the answer as data: it goes into the build as
``fit_plan.json``, and ``--plan`` takes it back.
"""

from emberc.fit.choose import choose
from emberc.fit.plan import Choice, FitPlan, read_plan
from emberc.fit.search import Build, Fitter, Job, check_plan, fit
from emberc.fit.sensitivity import Option, measure_forms, together

__all__ = [
    "Build",
    "Choice",
    "FitPlan",
    "Fitter",
    "Job",
    "Option",
    "check_plan",
    "choose",
    "fit",
    "measure_forms",
    "read_plan",
    "together",
]
