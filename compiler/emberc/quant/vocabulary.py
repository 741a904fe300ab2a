"""The words that firmware keeps: read from a list of token ids, or from a corpus of them."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emberc.errors import UsageError

Ids = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """``keep``: the ids that stay, rising. ``unknown``: the kept id that stands for all others."""

    keep: Ids
    unknown: int

    @property
    def other(self) -> int:
        """The row of ``unknown`` among those that are kept."""
        return int(np.searchsorted(self.keep, self.unknown))


def load_vocabulary(path: str | Path) -> Vocabulary:
    """Reads what ``--vocab`` names.

    A text file has one token id a line, the first of which stands for every id that is not listed; ``#`` begins a
    comment. An ``.npz`` has ``ids``, a corpus as token ids of any shape, and ``unknown``, the id that stands for those
    that do not occur in it. Raises UsageError, with the line or array, for anything else.
    """
    file = Path(path)
    try:
        listed = _corpus(file) if file.suffix == ".npz" else _lines(file)
    except OSError as e:
        raise _bad(file, e.strerror or "it can't be read") from None
    if not listed.size:
        raise _bad(file, "it names no token id")
    if int(listed.min()) < 0:
        raise _bad(file, f"{int(listed.min())} is no token id")
    return Vocabulary(np.unique(listed), int(listed[0]))


def _lines(file: Path) -> Ids:
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise _bad(file, "it is not text") from None
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        word = line.partition("#")[0].strip()
        if word and not (word.isascii() and word.isdigit() and len(word) < 10):
            raise _bad(file, f"line {number} is '{word[:40]}', not a token id")
        if word:
            found.append(int(word))
    return np.asarray(found, np.int64)


def _corpus(file: Path) -> Ids:
    """The id for unknown words, then all others."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            ids, unknown = arrays["ids"], arrays["unknown"]
    except KeyError as e:
        raise _bad(file, f"it lacks an array: {e.args[0]}") from None
    except (ValueError, EOFError, zipfile.BadZipFile):
        raise _bad(file, "it is not an .npz file of numbers") from None
    if ids.dtype.kind not in "iu" or unknown.dtype.kind not in "iu" or unknown.size != 1:
        raise _bad(file, "'ids' must be integers, 'unknown' one of them")
    joined: Ids = np.concatenate([unknown.reshape(-1), np.unique(ids)]).astype(np.int64)
    return joined


def _bad(file: Path, reason: str) -> UsageError:
    return UsageError(
        f"--vocab: {reason}",
        code="E-VOCAB",
        at=str(file),
        hints=["write one token id a line, the one for unknown words first"],
    )
