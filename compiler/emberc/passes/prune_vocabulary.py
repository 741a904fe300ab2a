"""prune-vocabulary: an embedding keeps the rows of the words that the user names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from emberc.errors import UsageError
from emberc.ir.builder import Builder
from emberc.ir.graph import Function, Module
from emberc.ir.ops.float_fused import Embed
from emberc.ir.ops.remap import Remap
from emberc.passes.manager import Pass
from emberc.quant.vocabulary import Vocabulary


@dataclass(frozen=True)
class PruneVocabulary(Pass):
    """embed(ids..; T..)  -->  embed(remap(ids; keep)..; T[keep]..)

    The words' table is the one with the most rows among those that an input indexes. ``keep`` is "unknown;id;id...";
    nothing happens without it and without ``Module.vocabulary``.
    Raises UsageError where there is no such table, or the vocabulary does not fit it.
    """

    name: ClassVar[str] = "prune-vocabulary"
    keep: str = ""

    def run(self, module: Module) -> bool:
        words = _listed(self.keep) if self.keep else module.vocabulary
        if not isinstance(words, Vocabulary):
            return False
        tables = [
            (op.parts[op.count + i].shape[0], op, i)
            for op in module.main.ops
            if isinstance(op, Embed)
            for i in range(op.count)
            if op.parts[i].const is None and op.parts[op.count + i].const is not None
        ]
        if not tables:
            raise UsageError("--vocab: the model has no embedding whose rows could be left out", code="E-VOCAB")
        rows, op, index = max(tables, key=lambda t: t[0])
        if int(words.keep[-1]) >= rows:
            raise UsageError(
                f"--vocab: id {int(words.keep[-1])} lies outside the table of {rows} rows", code="E-VOCAB", at=op.loc
            )
        _prune(module.main, op, index, words)
        module.notes.append(
            f"vocabulary: {len(words.keep):,} of {rows:,} words kept, id {words.unknown} for the others"
        )
        module.vocabulary = None
        return True


def _listed(text: str) -> Vocabulary:
    """``"7;3;12"``, unknown's id first. Raises UsageError for anything else."""
    parts = text.split(";")
    if not all(p.isascii() and p.isdigit() and len(p) < 10 for p in parts):
        raise UsageError(f"keep '{text}' is no list of token ids", hints=["write keep=7;3;12, unknown's id first"])
    ids = [int(p) for p in parts]
    return Vocabulary(np.unique(np.asarray(ids, np.int64)), ids[0])


def _prune(function: Function, op: Embed, index: int, words: Vocabulary) -> None:
    ids, table = op.parts[index], op.parts[op.count + index]
    assert table.const is not None
    b = Builder(op.loc, fold=False)
    kept = b.const(table.const[words.keep], table.name)
    keep = b.const(words.keep, f"{table.name or 'words'}.keep")
    row = b.emit(Remap, ids, keep, vocabulary=table.shape[0], other=words.other)
    at = function.ops.index(op)
    count = op.count
    op.set_operand(index, row)
    op.set_operand(count + index, kept)
    function.ops[at:at] = b.ops
