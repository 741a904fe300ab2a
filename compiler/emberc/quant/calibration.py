"""Calibration data: reading it, checking it against the model, and observing the float module on it."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from emberc.errors import CalibrationError
from emberc.ir.graph import Function
from emberc.ir.interpreter import Observer, run_function
from emberc.ir.op import Op
from emberc.ir.types import Array, DType
from emberc.ir.values import Value
from emberc.quant.observers import Statistics

Sample = dict[str, Array]

#: what a calibration file may unpack to
UNPACKED_BYTES = 1 << 32


@dataclass(frozen=True)
class CalibrationData:
    """Samples that fit the model's inputs. ``held`` are kept back to measure accuracy on; ``synthetic`` data was
    made up, so that accuracy on it says nothing about the real task.

    Of a model with explicit state a sample is one step with the states that it began with. ``sequences`` then are the
    numbers of steps that ``held`` consists of, each sequence from the beginning; else it is empty. ``complete``: the
    samples are all that there will ever be, so ranges need no room beyond them.
    """

    samples: tuple[Sample, ...]
    held: tuple[Sample, ...]
    synthetic: bool = False
    sequences: tuple[int, ...] = ()
    complete: bool = False

    def held_sequences(self) -> list[tuple[Sample, ...]]:
        """``held`` cut into its sequences."""
        ends = [sum(self.sequences[:i]) for i in range(len(self.sequences) + 1)]
        return [self.held[a:b] for a, b in pairwise(ends)]


def load_calibration(
    source: str | Path | Mapping[str, Any], function: Function, *, ignore: Collection[str] = ()
) -> CalibrationData:
    """Reads an ``.npz`` or a dict of arrays (one per input, leading sample axis) and checks it against the inputs.

    The last quarter of the samples is held back. Arrays named in ``ignore`` are passed over.
    Raises CalibrationError naming the array and what was expected.
    """
    arrays = {k: a for k, a in read_arrays(source).items() if k not in ignore}
    names = {v.name or "": v for v in function.inputs}
    check_names(arrays, names)
    shaped = {n: check_array(n, arrays[n], v) for n, v in names.items()}
    total = check_counts(shaped)
    samples = tuple({n: a[i] for n, a in shaped.items()} for i in range(total))
    keep = total // 4
    return CalibrationData(samples[: total - keep] if total > 1 else samples, samples[total - keep :] or samples)


def check_names(arrays: Mapping[str, Array], names: Mapping[str, Value]) -> None:
    """Raises CalibrationError unless there is an array for every input, and no other."""
    missing, extra = sorted(names.keys() - arrays.keys()), sorted(arrays.keys() - names.keys())
    if missing or extra:
        problem = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"has unknown {', '.join(extra)}"] * bool(extra)
        raise CalibrationError(
            f"the calibration data {' and '.join(problem)}",
            details=["the model's inputs: " + ", ".join(f"{n} {list(v.shape)}" for n, v in names.items())],
            hints=["np.savez(path, **{input_name: array_with_a_leading_sample_axis})"],
        )


def check_counts(arrays: Mapping[str, Array]) -> int:
    """Samples of each array. Raises CalibrationError where these differ, or there are none."""
    counts = {n: len(a) for n, a in arrays.items()}
    if len(set(counts.values())) > 1 or 0 in counts.values():
        raise CalibrationError(f"arrays hold different numbers of samples, or none: {counts}")
    return next(iter(counts.values()), 0)


def synthetic_calibration(function: Function, *, samples: int = 8, seed: int = 0) -> CalibrationData:
    """Made-up samples for a first try: random ids within the smallest table they index, masks with padded tails,
    floats from a unit normal."""
    rng = np.random.default_rng(seed)
    bounds = {v.name: _index_bound(v) for v in function.inputs}
    out: list[Sample] = []
    for i in range(samples):
        sample: Sample = {}
        for v in function.inputs:
            if v.type.dtype.is_float:
                sample[v.name or ""] = rng.standard_normal(v.shape).astype(v.type.dtype.numpy)
            elif bounds[v.name] is None:
                mask = np.ones(v.shape, v.type.dtype.numpy)
                if i % 2 and v.shape:
                    mask[..., int(rng.integers(1, v.shape[-1] + 1)) :] = 0
                sample[v.name or ""] = mask
            else:
                sample[v.name or ""] = rng.integers(0, bounds[v.name], v.shape).astype(v.type.dtype.numpy)
        out.append(sample)
    return CalibrationData(tuple(out), tuple(out), synthetic=True)


def observe(
    function: Function,
    samples: tuple[Sample, ...],
    *,
    histograms: bool = True,
    progress: Callable[[int, int], None] | None = None,
    also: Observer | None = None,
    left_out: Sequence[dict[int, Statistics]] = (),
) -> dict[int, Statistics]:
    """Statistics of every float value of ``function`` over the samples, by ``id(value)``.

    ``histograms``: whether an observer will ask for more than extremes. ``also`` is shown every value. The i-th of
    ``left_out`` gets the extremes over all samples but the i-th.
    """
    stats: dict[int, Statistics] = {}
    now = 0

    def see(v: Value, array: Array) -> None:
        if v.type.dtype.is_float:
            finite = np.nan_to_num(array, neginf=0.0, posinf=0.0)
            stats.setdefault(id(v), Statistics(histogram=histograms)).add(finite)
            if left_out:
                one = Statistics(histogram=False)
                one.add(finite)
                for i, others in enumerate(left_out):
                    if i != now:
                        others.setdefault(id(v), Statistics(histogram=False)).merge(one)
        if also is not None:
            also(v, array)

    for i, sample in enumerate(samples):
        now = i
        run_function(function, sample, observe=see)
        if progress:
            progress(i + 1, len(samples))
    return stats


def read_arrays(source: str | Path | Mapping[str, Any]) -> dict[str, Array]:
    if isinstance(source, Mapping):
        return {str(k): _array(str(k), v) for k, v in source.items()}
    path = Path(source)
    if not path.is_file():
        raise CalibrationError(f"there is no file '{path}'", hints=["pass --calib an .npz with one array per input"])
    try:
        _check_unpacked(path)
        file = np.load(path, allow_pickle=False)
        if isinstance(file, np.lib.npyio.NpzFile):
            with file:
                return {k: file[k] for k in file.files}
        problem = "it holds one array without a name"
    except (OSError, ValueError, zipfile.BadZipFile, zlib.error, EOFError) as e:
        problem = str(e)
    raise CalibrationError(f"'{path}' is not a readable .npz: {problem}", hints=["write it with np.savez"])


def _check_unpacked(path: Path) -> None:
    """A few bytes of a zip can hold gigabytes of zeros. Raises CalibrationError before they are read."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > UNPACKED_BYTES:
            raise CalibrationError(
                f"'{path}' holds {size:,} bytes unpacked, more than the {UNPACKED_BYTES:,} that are read",
                hints=["a few hundred samples are enough"],
            )


def _array(name: str, data: Any) -> Array:
    try:
        return np.asarray(data)
    except ValueError as e:
        raise CalibrationError(f"calibration array '{name}' is not an array: {e}") from e


def check_array(name: str, array: Array, v: Value) -> Array:
    """[samples, *input shape]; a leading axis of 1 in the model's shape may be left out."""
    want = v.shape
    if array.ndim == 0 or int(np.prod(array.shape[1:])) != int(np.prod(want)) or not _same(array.shape[1:], want):
        raise CalibrationError(
            f"calibration array '{name}' has shape {list(array.shape)}, expected [samples, "
            f"{', '.join(map(str, want))}]",
            at=f"input '{name}'",
        )
    dtype = v.type.dtype
    if dtype.is_float != np.issubdtype(array.dtype, np.floating) or array.dtype.kind not in "fiub":
        raise CalibrationError(
            f"calibration array '{name}' holds {array.dtype}, the input takes {dtype.value}", at=f"input '{name}'"
        )
    with np.errstate(over="ignore"):
        held = np.isfinite(array.astype(dtype.numpy)) if dtype.is_float else np.ones(1, np.bool_)
    if not held.all():
        bad = int(np.argwhere(~held.reshape(len(array), -1).all(1))[0, 0])
        raise CalibrationError(
            f"calibration array '{name}' holds NaN or infinity, first in sample {bad}",
            hints=["where -inf is a mask, a finite number as -1e9 masks as well, in the samples and on the device"],
        )
    if dtype is not DType.BOOL and not dtype.is_float:
        lo, hi = dtype.limits
        if array.size and (int(array.min()) < lo or int(array.max()) > hi):
            raise CalibrationError(f"calibration array '{name}' holds values outside {dtype.value}")
        rows = _table_rows(v)
        if array.size and rows is not None and (int(array.min()) < 0 or int(array.max()) >= rows):
            wrong = int(array.min()) if int(array.min()) < 0 else int(array.max())
            raise CalibrationError(
                f"calibration array '{name}' holds {wrong}, the table that it indexes has rows 0 .. {rows - 1}",
                at=f"input '{name}'",
                hints=["tokenize with the vocabulary that the model was trained with"],
            )
    return array.reshape(len(array), *want).astype(dtype.numpy)


def _same(given: tuple[int, ...], want: tuple[int, ...]) -> bool:
    return [d for d in given if d != 1] == [d for d in want if d != 1]


def _index_bound(v: Value) -> int | None:
    """Rows of the smallest table that the value indexes, through integer ops; None when it indexes none."""
    return min(_tables(v, lambda op: op.result.type.dtype.is_integer), default=None)


def _table_rows(v: Value) -> int | None:
    """Rows of the smallest table that the elements of ``v`` themselves index, unchanged; None for none."""
    return min(_tables(v, lambda op: op.opcode in _KEEPS and op.result.type.dtype.is_integer), default=None)


#: ops that hand integers on as they are
_KEEPS = {"f.cast", "f.reshape", "f.transpose", "f.expand", "f.slice", "f.concat"}


def _tables(v: Value, follow: Callable[[Op], bool]) -> Iterator[int]:
    """Rows of the tables that ``v`` indexes, itself or through ops that ``follow`` accepts."""
    todo, seen = [v], {id(v)}
    while todo:
        v = todo.pop()
        for op in {id(u): u for u in v.users}.values():
            if op.opcode == "f.embed":
                parts = [p for p in op.operands if p is not None]
                half = len(parts) // 2
                yield from (t.shape[0] for ids, t in zip(parts[:half], parts[half:], strict=True) if ids is v)
            elif op.opcode == "f.gather" and op.operands[1] is v and op.operands[0] is not None:
                yield op.operands[0].shape[int(op.attrs.get("axis") or 0)]  # type: ignore[arg-type]
            elif len(op.results) == 1 and follow(op) and id(op.result) not in seen:
                seen.add(id(op.result))
                todo.append(op.result)
