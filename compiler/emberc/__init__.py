"""emberc: compiles trained ONNX models to integer-only C99 firmware for microcontrollers.

::

    import emberc
    fw = emberc.compile("model.onnx", calibration="calib.npz", target="cortex-m7")
    fw.run({"input_ids": ids})        # what the board will answer, bit for bit
    print(fw.report)
    fw.write("build")

To extend it from outside: ``Pass`` and ``RewritePass`` (with ``default_pipeline``), ``Op`` with ``importer``,
``lowering`` and ``emitter``; ``examples/custom_pass`` and ``examples/custom_op`` show both.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emberc.errors import EmberError

if TYPE_CHECKING:
    import onnx

    from emberc.backend.c import Call, emitter
    from emberc.driver import compile_model
    from emberc.firmware import Firmware
    from emberc.frontend import import_model, importer
    from emberc.ir.graph import Function, Module
    from emberc.ir.op import Op
    from emberc.options import Options
    from emberc.passes import Pass, PassManager, Pipeline, RewritePass, default_pipeline
    from emberc.passes.lower import lowering

__all__ = [
    "Call",
    "EmberError",
    "Firmware",
    "Function",
    "Module",
    "Op",
    "Options",
    "Pass",
    "PassManager",
    "Pipeline",
    "RewritePass",
    "compile",
    "compile_model",
    "default_pipeline",
    "emitter",
    "import_model",
    "importer",
    "lowering",
]

# Where each name lives. They are imported at first use (PEP 562): `emberc --help` must not wait for numpy and onnx.
_HOME = {
    "Call": "emberc.backend.c",
    "Firmware": "emberc.firmware",
    "Function": "emberc.ir.graph",
    "Module": "emberc.ir.graph",
    "Op": "emberc.ir.op",
    "Options": "emberc.driver",
    "Pass": "emberc.passes",
    "PassManager": "emberc.passes",
    "Pipeline": "emberc.passes",
    "RewritePass": "emberc.passes",
    "compile_model": "emberc.driver",
    "default_pipeline": "emberc.passes",
    "emitter": "emberc.backend.c",
    "import_model": "emberc.frontend",
    "importer": "emberc.frontend",
    "lowering": "emberc.passes.lower",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'emberc' has no attribute '{name}'")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def compile(
    model: str | Path | onnx.ModelProto,
    calibration: str | Path | Mapping[str, Any] | None = None,
    **options: Any,
) -> Firmware:
    """Compiles an ONNX file or proto. Keyword arguments are the fields of ``emberc.Options`` (target, shapes, fix,
    budget, flash, ram, precision, observer, pipeline, ...). Raises EmberError."""
    from emberc.driver import compile_model
    from emberc.options import Options

    return compile_model(model, calibration, Options(**options))
