"""ONNX in, float IR out: one function with static shapes, constants folded, functions inlined.

``load`` reads the file and refuses what is damaged, ``signature`` makes the input shapes static, ``convert`` walks
the nodes, ``importers`` say what each ONNX operator means in the float dialect. Imports ``ir`` and ``errors`` only.
"""

from emberc.frontend.context import NodeContext
from emberc.frontend.limits import check_not_empty
from emberc.frontend.load import model_hash
from emberc.frontend.model import import_model
from emberc.frontend.registry import importer

__all__ = ["NodeContext", "check_not_empty", "import_model", "importer", "model_hash"]
