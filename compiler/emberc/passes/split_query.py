"""Q apart from K and V: what ``fuse-qkv`` brought together, where attention is to run by query rows."""

from __future__ import annotations

from collections.abc import Callable

from emberc.ir.graph import Function
from emberc.ir.ops.integer_attention import Attention
from emberc.ir.ops.integer_matmul import Matmul
from emberc.ir.types import TensorType
from emberc.ir.values import Constant, Value


def split_queries(function: Function, wanted: Callable[[Attention], bool]) -> bool:
    """attention(p, p, p), p = matmul(x, [Wq; Wk; Wv])  -->  attention(matmul(x, Wq), kv, kv), kv = matmul(x, [Wk; Wv])

    For the attentions that are ``wanted``. A column of a product knows nothing of the others: the same bits. Needs the
    columns of Q at one end of a product that nothing else reads.
    """
    changed = False
    for op in list(function.ops):
        if isinstance(op, Attention) and wanted(op):
            changed |= _split(function, op)
    return changed


def _split(function: Function, op: Attention) -> bool:
    packed = op.q.producer
    if not isinstance(packed, Matmul) or not _is_private(function, packed, op):
        return False
    start, width, columns = op.q_offset, op.heads * op.head_dim, packed.w.shape[0]
    if start not in (0, columns - width) or width == columns:
        return False
    rest = (width, columns) if start == 0 else (0, start)
    q, others = _columns(packed, start, start + width), _columns(packed, *rest)
    at = function.ops.index(packed)
    function.ops[at : at + 1] = [others, q]
    for i, name, offset in ((1, "k_offset", op.k_offset), (2, "v_offset", op.v_offset)):
        if op.operands[i] is packed.y:
            op.set_operand(i, others.y)
            op.attrs[name] = offset - rest[0]
    op.set_operand(0, q.y)
    op.attrs["q_offset"] = 0
    packed.drop_operands()
    return True


def _is_private(function: Function, packed: Matmul, op: Attention) -> bool:
    """Whether ``op`` alone reads the product, as q and as something else, and its weights can be cut by column."""
    constants = (packed.w, packed.bias, packed.m)
    cuttable = all(isinstance(c, Constant) and c.packed is None for c in constants)
    readers = packed.y.users
    return cuttable and len(readers) > 1 and all(u is op for u in readers) and not function.is_output(packed.y)


def _columns(packed: Matmul, start: int, end: int) -> Matmul:
    """The product with columns start .. end alone."""
    cut: list[Value | None] = list(packed.operands)
    for i, v in enumerate((packed.w, packed.bias, packed.m), 1):
        assert v.const is not None
        cut[i] = Constant(v.const[start:end], v.name and f"{v.name}.{start}")
    t = packed.y.type
    quant = t.quant
    if quant is not None and quant.axis is not None:
        quant = type(quant)(quant.scale[start:end], quant.zero_point, quant.axis)
    kind = TensorType(t.dtype, (*t.shape[:-1], end - start), quant)
    new = Matmul.from_parts(cut, packed.attrs, [kind], packed.loc)
    assert isinstance(new, Matmul)
    return new
