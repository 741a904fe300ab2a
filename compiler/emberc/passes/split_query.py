"""Q apart from K and V: what ``fuse-qkv`` brought together, where attention is to run by query rows."""

from __future__ import annotations

from collections.abc import Callable

from emberc.ir.graph import Function
from emberc.ir.ops.integer_attention import Attention
from emberc.ir.ops.integer_matmul import Matmul
from emberc.passes.product_columns import columns, is_private


def split_queries(function: Function, wanted: Callable[[Attention], bool]) -> bool:
    """attention(p, p, p), p = matmul(x, [Wq; Wk; Wv])  -->  attention(matmul(x, Wq), kv, kv), kv = matmul(x, [Wk; Wv])

    For the attentions that are ``wanted``. Needs the columns of Q at one end of a product that nothing else reads.
    """
    changed = False
    for op in list(function.ops):
        if isinstance(op, Attention) and wanted(op):
            changed |= _split(function, op)
    return changed


def _split(function: Function, op: Attention) -> bool:
    packed = op.q.producer
    if not isinstance(packed, Matmul) or len(packed.y.users) < 2 or not is_private(function, packed, op):
        return False
    start, width, total = op.q_offset, op.heads * op.head_dim, packed.w.shape[0]
    if start not in (0, total - width) or width == total:
        return False
    rest = range(width, total) if start == 0 else range(start)
    q, others = columns(packed, range(start, start + width)), columns(packed, rest)
    at = function.ops.index(packed)
    function.ops[at : at + 1] = [others, q]
    for i, name, offset in ((1, "k_offset", op.k_offset), (2, "v_offset", op.v_offset)):
        if op.operands[i] is packed.y:
            op.set_operand(i, others.y)
            op.attrs[name] = offset - rest.start
    op.set_operand(0, q.y)
    op.attrs["q_offset"] = 0
    packed.drop_operands()
    return True
