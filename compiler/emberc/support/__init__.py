"""What emberc compiles, operator by operator, measured on ONNX's own single-node test cases.

``cases`` runs one case through the frontend and, where it can, through the integer pipeline; ``table`` collects the
outcomes into ``compiler/SUPPORT.md``. It stands beside the driver: it needs the frontend and the passes.
"""

from emberc.support.cases import Case, collect_cases, float_outcome, integer_outcome
from emberc.support.table import Row, markdown, measure_rows, registered_rows

__all__ = [
    "Case",
    "Row",
    "collect_cases",
    "float_outcome",
    "integer_outcome",
    "markdown",
    "measure_rows",
    "registered_rows",
]
