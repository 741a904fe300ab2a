"""The forms that a weight can be squeezed into, and how to get there from its floats.

``int4-g32`` even steps with a gain every 32 elements; ``cb3`` a learnt codebook of 8 entries with a gain a row;
``cb3-g32`` the same with a gain every 32 elements; ``rank32`` a product of two int8 matrices.
``ir/packed.py`` defines the bits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emberc.errors import UsageError
from emberc.ir.packed import BLOCK, UNITY, Packed, pack_codes
from emberc.ir.types import Array

Floats = NDArray[np.float32]

#: gains tried for every group, as shares of the one that reaches the group's largest element
_SHARES = (1.0, 0.92, 0.84, 0.76, 0.68, 0.6)
#: times that codebook and gains are fitted to each other
_ROUNDS = 2
#: steps of the histogram that a codebook is learnt from
_BINS = 1024
_LLOYD_STEPS = 30


@dataclass(frozen=True)
class Form:
    """``bits`` 2, 3 or 4 with a gain every ``group`` elements (0: a row), from ``even`` steps or a learnt codebook; or
    ``rank`` > 0."""

    bits: int = 0
    group: int = 0
    even: bool = False
    rank: int = 0

    def __str__(self) -> str:
        if self.rank:
            return f"rank{self.rank}"
        return f"{'int' if self.even else 'cb'}{self.bits}" + (f"-g{self.group}" if self.group else "")

    def fits(self, rows: int, columns: int) -> bool:
        """Whether a matrix of that shape can take this form."""
        return self.rank < min(rows, columns) if self.rank else True

    def stored_bytes(self, rows: int, columns: int) -> int:
        """Flash that a matrix takes in this form, multipliers and biases not counted."""
        if self.rank:
            return self.rank * (rows + columns)
        blocks, group = -(-columns // BLOCK), self.group or columns
        return rows * (self.bits * blocks + -(-columns // group)) + (1 << self.bits)


_TEXT = re.compile(r"(?:(?P<kind>int4|cb[234])(?:-g(?P<group>\d{1,4}))?|rank(?P<rank>\d{1,4}))")


def parse_form(text: object) -> Form:
    """The inverse of ``str(form)``. Raises UsageError for anything else."""
    m = _TEXT.fullmatch(text) if isinstance(text, str) else None
    form = None
    if m is not None:
        kind, group = m["kind"] or "", int(m["group"] or 0)
        form = Form(rank=int(m["rank"])) if m["rank"] else Form(int(kind[-1]), group, kind.startswith("int"))
    if form is None or form.group % BLOCK or str(form) != text:
        raise UsageError(f"{text!r} is not a form", hints=["forms are int4-g32, cb4, cb3, cb3-g32, cb2, rank32, ..."])
    return form


def candidates(rows: int, columns: int) -> list[Form]:
    """The forms that are worth a try for a matrix [rows, columns], largest first."""
    forms = [Form(4, 32, even=True), Form(4), Form(3, 32), Form(3), Form(2, 16), Form(2)]
    forms += [Form(rank=min(rows, columns) // share) for share in (2, 3, 4, 6, 8) if min(rows, columns) >= 8 * share]
    small = [f for f in forms if f.fits(rows, columns) and f.stored_bytes(rows, columns) < rows * columns]
    return sorted(small, key=lambda f: (-f.stored_bytes(rows, columns), str(f)))


def pack(steps: Array, form: Form) -> Packed:
    """``steps`` [rows, columns], weights in int8 steps, in the packed ``form`` nearest to them.

    Codebook and gains are fitted to each other in turn: the codebook by Lloyd's algorithm (Lloyd, 1982, the k-means of
    Deep Compression) on the elements divided by their gain, each gain by trying a few, as llama.cpp searches its block
    scales. Deterministic.
    """
    rows, columns = steps.shape
    group = form.group or -(-columns // BLOCK) * BLOCK
    padded = np.pad(steps.astype(np.float32), ((0, 0), (0, -columns % group)))
    groups = padded.reshape(-1, group)
    top = np.abs(groups).max(axis=1, initial=0.0)
    gains = _clip_gain(np.ceil(top * UNITY / 127))
    book = _even_book(form.bits)
    for _ in range(_ROUNDS):
        if not form.even:
            book = _lloyd(groups, gains, form.bits)
        gains = _best_gains(groups, top, book)
    codes = _nearest(groups * (UNITY / gains[:, None]), book).reshape(rows, -1)[:, :columns]
    shaped = gains.astype(np.uint8).reshape(rows, -1)
    return Packed(form.bits, columns, group, pack_codes(codes, form.bits), book.astype(np.int8), shaped)


def _clip_gain(gains: Floats) -> Floats:
    clipped: Floats = np.clip(gains, 1, UNITY).astype(np.float32)
    return clipped


def _even_book(bits: int) -> Floats:
    """Even steps around 0, one more below than above."""
    half = 1 << (bits - 1)
    book: Floats = np.clip(np.rint(np.arange(-half, half) * (127 / (half - 1))), -128, 127).astype(np.float32)
    return book


def _nearest(values: Array, book: Floats) -> NDArray[np.uint8]:
    """The index of the entry nearest to each value; ``book`` is sorted."""
    codes: NDArray[np.uint8] = np.searchsorted((book[1:] + book[:-1]) / 2, values).astype(np.uint8)
    return codes


def _best_gains(groups: Floats, top: Floats, book: Floats) -> Floats:
    """For every group the gain with the least squared error."""
    best = np.full(len(groups), np.inf, np.float32)
    found = np.ones(len(groups), np.float32)
    for share in _SHARES:
        gains = _clip_gain(np.ceil(top * (UNITY / 127 * share)))
        scaled = groups * (UNITY / gains[:, None])
        scaled -= book[_nearest(scaled, book)]
        error = np.einsum("gk,gk->g", scaled, scaled) * gains**2
        better = error < best
        best = np.where(better, error, best)
        found = np.where(better, gains, found).astype(np.float32)
    return found


def _lloyd(groups: Floats, gains: Floats, bits: int) -> Floats:
    """The codebook that fits the elements divided by their gains, an error counting with its gain squared.

    It starts from entries that stand for equal masses.
    """
    edges = np.linspace(-160, 160, _BINS + 1)
    scaled = groups * (UNITY / gains[:, None])
    weight = np.broadcast_to((gains**2)[:, None], scaled.shape)
    mass, _ = np.histogram(scaled, edges, weights=weight)
    centres = (edges[:-1] + edges[1:]) / 2
    shares = (np.arange(1 << bits) + 0.5) / (1 << bits)
    entries = np.interp(shares * mass.sum(), np.cumsum(mass), edges[1:])
    for _ in range(_LLOYD_STEPS):
        owner = np.searchsorted((entries[1:] + entries[:-1]) / 2, centres)
        total = np.bincount(owner, mass, len(entries))
        moment = np.bincount(owner, mass * centres, len(entries))
        entries = np.where(total > 0, moment / np.where(total > 0, total, 1), entries)
    learnt: Floats = np.sort(np.clip(np.rint(entries), -128, 127)).astype(np.float32)
    return learnt


def factors(matrix: Array, rank: int) -> tuple[Floats, Floats]:
    """``matrix`` [rows, columns] ~ u [rows, rank] @ v [rank, columns], nearest in squared error (Eckart and Young)."""
    wide = matrix.shape[0] < matrix.shape[1]
    tall = (matrix.T if wide else matrix).astype(np.float64)
    _, vectors = np.linalg.eigh(tall.T @ tall)
    v = vectors[:, ::-1][:, :rank].T
    v = v * np.where(v[np.arange(len(v)), np.abs(v).argmax(axis=1)] < 0, -1.0, 1.0)[:, None]  # one of two signs
    u = tall @ v.T
    left, right = (v.T, u.T) if wide else (u, v)
    return left.astype(np.float32), right.astype(np.float32)


def squeezed(matrix: Array, form: Form, axis: int) -> Floats:
    """``matrix`` as it is after a round trip through ``form``, with an int8 scale per index of ``axis``."""
    if form.rank:
        u, v = factors(matrix, form.rank)
        product: Floats = u @ v
        return product
    scale = np.abs(matrix).max(axis=1 - axis, keepdims=True) / 127
    scale = np.where(scale > 0, scale, 1.0)
    back: Floats = (pack(matrix / scale, form).unpacked() * scale).astype(np.float32)
    return back
