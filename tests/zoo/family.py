"""`family_model`: a model of another family than BERT, exported, with samples, from the cache or freshly built."""

from __future__ import annotations

import hashlib
import importlib
import logging
import shutil
import tempfile
import warnings
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tests.zoo.build import cache_root
from tests.zoo.families import FAMILIES

if TYPE_CHECKING:
    from torch import nn

_TOOLS = ("torch", "transformers", "onnx", "onnxscript")
_HERE = Path(__file__).parent
SAMPLES = 24
PAD, FIRST_WORD = 0, 5


@dataclass(frozen=True)
class Family:
    """A torch module in eval mode and arrays [SAMPLES, ...] by input name, in the order of ``forward``."""

    module: nn.Module
    samples: dict[str, np.ndarray]


@dataclass(frozen=True)
class FamilyModel:
    """An exported model on disk and its samples."""

    path: Path
    samples: dict[str, np.ndarray]


def sentences(vocab: int, length: int, *, mask: bool = True, pad: int = PAD, seed: int = 2) -> dict[str, np.ndarray]:
    """Random ids [SAMPLES, length] int64, every second one padded at its end, and the mask that says so."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(FIRST_WORD, vocab, (SAMPLES, length))
    used = np.where(np.arange(SAMPLES) % 2 == 0, length, rng.integers(2, length + 1, SAMPLES))
    real = np.arange(length) < used[:, None]
    if not mask:
        return {"input_ids": ids}
    return {"input_ids": np.where(real, ids, pad), "attention_mask": real.astype(np.int64)}


def family_model(name: str, exporter: str = "dynamo") -> FamilyModel:
    """The model ``name`` of ``FAMILIES`` as the ``exporter`` ("dynamo" or "ts") writes it, batch 1, static shapes."""
    file, arguments = FAMILIES[name]
    folder = cache_root() / f"{name}-{exporter}-{_key(file, arguments)}"
    if not folder.is_dir():
        _build(file, arguments, exporter, folder)
    with np.load(folder / "samples.npz") as stored:
        return FamilyModel(folder / "model.onnx", dict(stored))


def _key(file: str, arguments: dict[str, object]) -> str:
    digest = hashlib.sha256(repr(sorted(arguments.items())).encode())
    for source in ("family.py", "shake.py", f"families/{file}.py"):
        digest.update((_HERE / source).read_bytes())
    for tool in _TOOLS:
        digest.update(f"{tool}={version(tool)}".encode())
    return digest.hexdigest()[:16]


def _build(file: str, arguments: dict[str, object], exporter: str, folder: Path) -> None:
    """Writes aside and moves in place as one: builders may race. torch is imported late, it takes seconds."""
    import torch

    torch.manual_seed(0)
    family: Family = importlib.import_module(f"tests.zoo.families.{file}").build(**arguments)
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _export(family, exporter, aside / "model.onnx")
        np.savez(aside / "samples.npz", **family.samples)  # type: ignore[arg-type]
        try:
            aside.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was first, with the same bytes
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _export(family: Family, exporter: str, path: Path) -> None:
    import torch

    example = tuple(torch.from_numpy(a[:1]) for a in family.samples.values())
    options: dict[str, object] = {"opset_version": 17, "dynamo": False}
    if exporter == "dynamo":
        options = {"dynamo": True, "external_data": False, "verbose": False}
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            logging.disable(logging.WARNING)
            torch.onnx.export(
                family.module.eval(),
                example,
                path,
                input_names=list(family.samples),
                output_names=["logits"],
                **options,
            )
    finally:
        logging.disable(logging.NOTSET)
        torch.set_num_threads(before)
