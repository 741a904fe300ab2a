"""Reports: what a compilation measured, as data, text, JSON and HTML.

May import memory, quant and ir, nothing above.
"""

from emberc.report.accuracy import compare
from emberc.report.html import render_html
from emberc.report.memory_map import MemoryMap
from emberc.report.model import Accuracy, Fit, Flash, Memory, Ram, Report
from emberc.report.regions import RegionUse, Waits
from emberc.report.text import render, render_choices, render_layers
from emberc.report.tradeoff import Point, frontier

__all__ = [
    "Accuracy",
    "Fit",
    "Flash",
    "Memory",
    "MemoryMap",
    "Point",
    "Ram",
    "RegionUse",
    "Report",
    "Waits",
    "compare",
    "frontier",
    "render",
    "render_choices",
    "render_html",
    "render_layers",
]
