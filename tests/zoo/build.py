"""`zoo_model`: one exported model with its samples, from the cache or freshly built."""

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from tests.zoo.spec import BuildSpec

_TOOLS = ("torch", "transformers", "onnx", "onnxscript")
_HERE = Path(__file__).parent
_SOURCES = ("spec.py", "bert.py", "shake.py", "samples.py", "export.py", "outline.py", "build.py")


@dataclass(frozen=True)
class ZooModel:
    """An exported model on disk. `samples` has one array per graph input, shape [n, L], int64.

    `static_shapes` is what `--shape` needs to say for a model with symbolic sizes: {"input_ids": (1, L)}.
    """

    path: Path
    spec: BuildSpec
    samples: dict[str, np.ndarray]

    @property
    def static_shapes(self) -> dict[str, tuple[int, ...]]:
        return dict.fromkeys(self.spec.input_names, (1, self.spec.sequence))

    def sample(self, index: int) -> dict[str, np.ndarray]:
        """Sample `index` as the model takes it: arrays [1, L]."""
        return {name: array[index : index + 1] for name, array in self.samples.items()}


def cache_root() -> Path:
    """The folder of built models: $EMBERC_CACHE/zoo, else ~/.cache/emberc/zoo."""
    base = os.environ.get("EMBERC_CACHE")
    return (Path(base) if base else Path.home() / ".cache" / "emberc") / "zoo"


def zoo_model(name: str, **options: object) -> ZooModel:
    """Build or fetch from the cache the model `name`; `options` are the fields of `BuildSpec`.

    >>> zoo_model("bert_2mb", exporter="ts", opset=17, length=256, head="mlm", dynamic=True).path

    Raises ValueError for an unknown name, option or a combination that the exporter can not write.
    """
    try:
        spec = BuildSpec(name, **options)  # type: ignore[arg-type]
    except TypeError as wrong:
        raise ValueError(f"zoo_model({name!r}): {wrong}; options are the fields of BuildSpec") from wrong
    folder = cache_root() / f"{name}-{_key(spec)}"
    if not folder.is_dir():
        _build(spec, folder)
    with np.load(folder / "samples.npz") as stored:
        samples = {array: stored[array] for array in spec.input_names}
    return ZooModel(folder / "model.onnx", spec, samples)


def _key(spec: BuildSpec) -> str:
    """A hash over the options, the zoo's own sources and the tools that decide the exported bytes."""
    digest = hashlib.sha256(json.dumps(asdict(spec), sort_keys=True).encode())
    for source in _SOURCES:
        digest.update((_HERE / source).read_bytes())
    for tool in _TOOLS:
        digest.update(f"{tool}={version(tool)}".encode())
    return digest.hexdigest()[:16]


def _build(spec: BuildSpec, folder: Path) -> None:
    """Write model.onnx and samples.npz aside, then move them in place as one: builders may race."""
    # Imported late: torch and transformers take seconds, and a cached model needs neither.
    from tests.zoo.bert import build_bert
    from tests.zoo.export import export
    from tests.zoo.samples import make_samples

    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        export(build_bert(spec), spec, aside / "model.onnx")
        np.savez(aside / "samples.npz", **make_samples(spec))
        (aside / "spec.json").write_text(json.dumps(asdict(spec), indent=1) + "\n")
        try:
            aside.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was first, with the same bytes
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
