"""Passes: one file a pass, ``manager.py`` runs them, ``pipeline.py`` is the default list.

May import quant, memory, targets and ir.
"""

from emberc.passes.factorize import Factorize
from emberc.passes.manager import PASSES, Pass, PassManager, Pipeline, RewritePass, parse_pipeline
from emberc.passes.pipeline import default_pipeline
from emberc.passes.prune_vocabulary import PruneVocabulary
from emberc.passes.quantize import Quantize
from emberc.passes.tile_rows import TileRows

__all__ = [
    "PASSES",
    "Factorize",
    "Pass",
    "PassManager",
    "Pipeline",
    "PruneVocabulary",
    "Quantize",
    "RewritePass",
    "TileRows",
    "default_pipeline",
    "parse_pipeline",
]
