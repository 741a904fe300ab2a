"""Torch's two exporters behind one function."""

import logging
import warnings
from pathlib import Path

import onnx
import torch
from torch import nn

from tests.zoo.outline import outline
from tests.zoo.spec import BuildSpec


def export(module: nn.Module, spec: BuildSpec, path: Path) -> None:
    """Write `module` to `path` as `spec` asks: exporter, opset, symbolic sizes, form.

    The example input is a full sentence of length L without padding, as most people write it.
    """
    names = spec.input_names
    example = tuple(
        torch.zeros(1, spec.sequence, dtype=torch.int64) + (1 if name == "attention_mask" else 0) for name in names
    )
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            logging.disable(logging.WARNING)
            _EXPORTERS[spec.exporter](module, spec, example, path)
    finally:
        logging.disable(logging.NOTSET)
        torch.set_num_threads(before)
    _reshape_file(path, spec)


def _reshape_file(path: Path, spec: BuildSpec) -> None:
    """Give the file the form that `spec` asks for beyond what the exporter wrote."""
    if spec.form == "functions":
        model = onnx.load(path)
        outline(model)
        onnx.save(model, path)
    elif spec.form == "external" and spec.exporter == "ts":  # dynamo does so itself
        onnx.save(onnx.load(path), path, save_as_external_data=True, location=f"{path.name}.data")


def _dynamo(module: nn.Module, spec: BuildSpec, example: tuple[torch.Tensor, ...], path: Path) -> None:
    sizes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("sequence", min=2, max=spec.shape.positions)}
    torch.onnx.export(
        module,
        example,
        path,
        dynamo=True,
        input_names=list(spec.input_names),
        output_names=["logits"],
        opset_version=spec.opset,
        dynamic_shapes=tuple(sizes for _ in example) if spec.dynamic else None,
        external_data=spec.form == "external",
        verbose=False,
    )


def _torchscript(module: nn.Module, spec: BuildSpec, example: tuple[torch.Tensor, ...], path: Path) -> None:
    sizes = {0: "batch", 1: "sequence"}
    outputs = {"logits": sizes if spec.head == "mlm" else {0: "batch"}}
    torch.onnx.export(
        module,
        example,
        path,
        dynamo=False,
        input_names=list(spec.input_names),
        output_names=["logits"],
        opset_version=spec.opset,
        dynamic_axes={**dict.fromkeys(spec.input_names, sizes), **outputs} if spec.dynamic else None,
    )


_EXPORTERS = {"dynamo": _dynamo, "ts": _torchscript}
