"""q.remap: kernel against reference, and both against a look-up; f.remap the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emberc.errors import UsageError
from emberc.ir.ops.remap import IntegerRemap, Remap
from emberc.passes.lower.context import Lowering
from emberc.passes.lower.remap import lower_remap
from tests.kernels.calls import OutOfRangeError, run_kernel
from tests.kernels.check import check, constant, value


def remaps(rng: Any, vocabulary: int, share: float, ids: Any) -> tuple[Remap, IntegerRemap]:
    """An f.remap and what it becomes."""
    kept = np.nonzero(rng.random(vocabulary) < share)[0]
    kept = kept if len(kept) else np.array([vocabulary - 1])
    first = Remap(value(ids), constant(kept, np.int64), vocabulary=vocabulary, other=len(kept) // 2)
    ctx = Lowering({})
    ctx.values[id(first.ids)] = value(ids)
    lower_remap(first, ctx)
    (op,) = ctx.builder.ops
    assert isinstance(op, IntegerRemap)
    return first, op


@pytest.mark.parametrize("vocabulary", [1, 31, 32, 33, 129, 30522])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_remap(vocabulary: int, share: float) -> None:
    rng = np.random.default_rng(vocabulary)
    ids = rng.integers(0, vocabulary, (3, 17)).astype(np.int32)
    ids[0, :2] = 0, vocabulary - 1
    first, op = remaps(rng, vocabulary, share, ids)
    keep = [int(k) for k in first.keep.const]
    want = [[keep.index(i) if i in keep else first.other for i in row] for row in ids.tolist()]
    assert op.bits.const is not None and op.counts.const is not None
    assert check(op, ids, op.bits.const, op.counts.const).tolist() == want
    assert first.run(ids, first.keep.const)[0].tolist() == want


@pytest.mark.parametrize("bad", [-1, 70, 1 << 30, -(1 << 31)])
def test_an_id_outside_the_vocabulary(bad: int) -> None:
    ids = np.array([3, bad], np.int32)
    first, op = remaps(np.random.default_rng(0), 70, 0.5, ids)
    with pytest.raises(UsageError, match="70 rows"):
        op.run(ids, op.bits.const, op.counts.const)
    with pytest.raises(UsageError, match="70 rows"):
        first.run(ids, first.keep.const)
    with pytest.raises(OutOfRangeError):
        run_kernel(op, [ids, op.bits.const, op.counts.const])
