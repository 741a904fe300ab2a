"""External data: tensors that stand in files beside the model.

A model is untrusted input, so a location may only name a file inside the model's own folder.
"""

from __future__ import annotations

from pathlib import Path, PureWindowsPath

import numpy as np
import onnx
from numpy.typing import NDArray

from emberc.errors import ModelError

_CODE = "E-EXTERNAL"


def read_external(tensor: onnx.TensorProto, nbytes: int, folder: Path | None) -> NDArray[np.uint8]:
    """The ``nbytes`` bytes of a tensor with external data.

    Raises ModelError where the file is missing, too short, outside ``folder``, or of another size than the tensor.
    """
    entries = {e.key: e.value for e in tensor.external_data}
    path = external_path(tensor.name, entries.get("location", ""), folder)
    try:
        offset = int(entries.get("offset", 0))
        length = int(entries.get("length", nbytes))
    except ValueError:
        raise ModelError(f"tensor '{tensor.name}' has a damaged external offset or length", code=_CODE) from None
    if length != nbytes:
        raise ModelError(
            f"tensor '{tensor.name}' {list(tensor.dims)} needs {nbytes} bytes, its external data says {length}",
            code=_CODE,
            at=str(path),
        )
    size = path.stat().st_size
    if offset < 0 or offset + nbytes > size:
        raise ModelError(
            f"external data of tensor '{tensor.name}' ends at byte {offset + nbytes}, the file has {size}",
            code=_CODE,
            at=str(path),
            hints=["the file is truncated or belongs to another model: copy both files again"],
        )
    return np.fromfile(path, np.uint8, nbytes, offset=offset)


def external_path(name: str, location: str, folder: Path | None) -> Path:
    """The file that ``location`` names, checked to lie in ``folder`` and to exist. Raises ModelError."""
    at = f"external data '{location}' of tensor '{name}'"
    if folder is None:
        raise ModelError(
            "a ModelProto with external data has no folder to read it from",
            code=_CODE,
            at=at,
            hints=["give the path of the file, or load it with onnx.load(path), which reads the external data"],
        )
    windows = PureWindowsPath(location)
    if not location or Path(location).is_absolute() or windows.drive or windows.root or ".." in windows.parts:
        raise ModelError("external data must be a file in the model's own folder", code=_CODE, at=at)
    path = folder / location
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ModelError("external data leads through a link out of the model's folder", code=_CODE, at=at)
    if not path.is_file():
        raise ModelError(
            f"the external data file '{location}' is missing",
            code=_CODE,
            at=at,
            hints=[f"put it beside the model, in {folder}", "or export with weights inside: external_data=False"],
        )
    return path
