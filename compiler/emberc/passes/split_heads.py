"""Attention one head after the other, so that K and V of one head are all there ever is of them."""

from __future__ import annotations

from emberc.ir.graph import Function
from emberc.ir.op import Op
from emberc.ir.ops.integer_attention import Attention
from emberc.ir.ops.integer_matmul import Matmul
from emberc.ir.ops.integer_movement import Concat
from emberc.ir.types import TensorType
from emberc.ir.values import Value
from emberc.passes.product_columns import columns, is_private


def split_heads(function: Function) -> bool:
    """attention(matmul(x, Wq), kv, kv), kv = matmul(x, [Wk; Wv])
        -->  concat(attention(matmul(x, Wq[h]), kv[h], kv[h]) for each head h), kv[h] = matmul(x, [Wk[h]; Wv[h]])

    Heads meet in the projection behind attention alone: the same bits and as many products. Query heads that share
    keys and values stay together. Needs Q, K and V from products that nothing else reads.
    """
    changed = False
    for op in list(function.ops):
        if type(op) is Attention and op.heads > op.group:
            changed |= _split(function, op)
    return changed


def _split(function: Function, op: Attention) -> bool:
    sources = (op.q, op.k, op.v)
    products = [v.producer for v in sources]
    quant = op.y.type.quant
    if not all(isinstance(p, Matmul) and is_private(function, p, op) for p in products):
        return False
    if quant is not None and quant.axis is not None:
        return False
    made: list[Op] = []
    parts: list[Value] = []
    for head in range(op.heads // op.group):
        made += (part := _one(op, head))
        parts.append(part[-1].results[0])
    joined = Concat.from_parts(parts, {"axis": op.y.type.rank - 1}, [op.y.type], op.loc)
    joined.result.name = op.y.name
    function.replace(op.y, joined.result)
    gone = [op, *{id(p): p for p in products if p is not None}.values()]
    at = function.ops.index(op)
    function.ops[at : at + 1] = [*made, joined]
    for old in gone:
        old.drop_operands()
    function.ops = [u for u in function.ops if all(u is not old for old in gone)]
    return True


def _one(op: Attention, head: int) -> list[Op]:
    """The products of K and V (one if one product has both) and of Q of one key/value head, and its attention."""
    widths = (op.group * op.head_dim, op.head_dim, op.head_dim)
    starts = [o + head * w for o, w in zip((op.q_offset, op.k_offset, op.v_offset), widths, strict=True)]
    q, k, v = (list(range(s, s + w)) for s, w in zip(starts, widths, strict=True))
    together = op.k is op.v
    of_k = columns(_product(op.k), [*k, *v] if together else k)
    of_v = of_k if together else columns(_product(op.v), v)
    of_q = columns(_product(op.q), q)
    attrs = {**op.attrs, "heads": op.group, "q_offset": 0, "k_offset": 0, "v_offset": len(k) if together else 0}
    kind = TensorType(op.y.type.dtype, (*op.y.shape[:-1], widths[0]), op.y.type.quant)
    new = Attention.from_parts([of_q.y, of_k.y, of_v.y, *op.operands[3:]], attrs, [kind], op.loc)
    return [of_k, *([] if together else [of_v]), of_q, new]


def _product(v: Value) -> Matmul:
    assert isinstance(v.producer, Matmul)
    return v.producer
