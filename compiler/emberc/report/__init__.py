"""Reports: what a compilation measured, as data, text and JSON. May import memory and ir, nothing above."""

from emberc.report.accuracy import compare
from emberc.report.model import Accuracy, Fit, Flash, Memory, Ram, Report
from emberc.report.text import render

__all__ = ["Accuracy", "Fit", "Flash", "Memory", "Ram", "Report", "compare", "render"]
