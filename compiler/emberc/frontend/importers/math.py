"""Products of matrices: MatMul, Gemm, Einsum."""

from __future__ import annotations

from emberc.frontend.context import NodeContext
from emberc.frontend.registry import importer
from emberc.ir.ops.float_reduce import CumSum
from emberc.ir.types import DType
from emberc.ir.values import Constant, Value


@importer("MatMul")
def matmul(node: NodeContext) -> Value:
    return node.matmul(node.input(0), node.input(1))


@importer("Gemm")
def gemm(node: NodeContext) -> Value:
    return general_product(node)


def general_product(node: NodeContext) -> Value:
    """alpha * A' B' + beta * C, A' and B' transposed on demand; a constant B is transposed and scaled here."""
    a, b, c = node.input(0), node.input(1), node.optional(2)
    alpha, beta = node.number("alpha", 1.0), node.number("beta", 1.0)
    a = node.swap_last(a) if node.integer("transA") else a
    b = node.swap_last(b) if node.integer("transB") else b
    if alpha != 1.0 and isinstance(b, Constant):
        b, alpha = node.mul(b, node.scalar(alpha, b)), 1.0
    y = node.matmul(a, b)
    y = y if alpha == 1.0 else node.mul(y, node.scalar(alpha, y))
    if c is None:
        return y
    return node.add(y, c if beta == 1.0 else node.mul(c, node.scalar(beta, c)))


@importer("CumSum")
def cumsum(node: NodeContext) -> Value:
    x = node.input(0)
    axis = node.axis(int(node.array(1, "axis").reshape(-1)[0]), x.type.rank)
    exclusive, reverse = bool(node.integer("exclusive")), bool(node.integer("reverse"))
    return node.emit(CumSum, x, axis=axis, exclusive=exclusive, reverse=reverse)


@importer("Einsum")
def einsum(node: NodeContext) -> Value:
    """Operands are contracted from the left, two at a time, each pair as one batched matrix product."""
    terms, output = _parse(node)
    x, labels = _simplify(node, node.input(0), terms[0], set("".join(terms[1:]) + output))
    for i in range(1, len(terms)):
        later = set("".join(terms[i + 1 :]) + output)
        y, right = _simplify(node, node.input(i), terms[i], later | set(labels))
        x, labels = _contract(node, x, labels, y, right, later)
    return node.transpose(x, [labels.index(label) for label in output])


def _parse(node: NodeContext) -> tuple[list[str], str]:
    """One label a dimension for every operand and the output; an ellipsis becomes upper-case labels."""
    equation = node.text("equation").replace(" ", "")
    left, arrow, output = equation.partition("->")
    terms = left.split(",")
    if len(terms) != len(node.inputs):
        raise node.invalid(f"equation '{equation}' names {len(terms)} operands, there are {len(node.inputs)}")
    used = set(equation)
    free = [c for c in "ZYXWVUTSRQPONMLKJIHGFEDCBA" if c not in used]
    widest = max((node.input(i).type.rank - len(t) + 3 for i, t in enumerate(terms) if "..." in t), default=0)
    rest = "".join(free[:widest])
    for i, term in enumerate(terms):
        if "..." in term:
            rank = node.input(i).type.rank - len(term) + 3
            terms[i] = term.replace("...", rest[len(rest) - rank :])
        if len(terms[i]) != node.input(i).type.rank:
            raise node.invalid(f"'{term}' of '{equation}' does not fit {list(node.input(i).shape)}")
    if not arrow:
        joined = "".join(terms)
        output = rest + "".join(sorted(c for c in set(joined) if joined.count(c) == 1 and c not in rest))
    return terms, output.replace("...", rest)


def _simplify(node: NodeContext, x: Value, labels: str, needed: set[str]) -> tuple[Value, str]:
    """Takes diagonals of repeated labels and sums over labels that nothing else needs."""
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            i = labels.index(label)
            j = labels.index(label, i + 1)
            size = x.shape[i]
            # the diagonal: multiply by the identity, then sum over one of the two axes
            rank = x.type.rank
            same = node.iota(size, i, rank).data == node.iota(size, j, rank).data
            x = node.reduce(node.mul(x, node.cast(node.constant(same, DType.BOOL), x.type.dtype)), "sum", [j], False)
            labels = labels[:j] + labels[j + 1 :]
    gone = [i for i, label in enumerate(labels) if label not in needed]
    return node.reduce(x, "sum", gone, False), "".join(label for label in labels if label in needed)


def _contract(node: NodeContext, a: Value, la: str, b: Value, lb: str, later: set[str]) -> tuple[Value, str]:
    """[batch, M, K] x [batch, K, N]: shared labels that are needed later are batch, the other shared ones K."""
    size = {**dict(zip(lb, b.shape, strict=True)), **{k: n for k, n in zip(la, a.shape, strict=True) if n != 1}}
    size = {**dict(zip(la, a.shape, strict=True)), **size}
    batch = [c for c in la if c in lb and c in later]
    inner = [c for c in la if c in lb and c not in later]
    rows = [c for c in la if c not in lb]
    columns = [c for c in lb if c not in la]
    if not inner:
        order = batch + rows + columns
        return node.mul(_aligned(node, a, la, order), _aligned(node, b, lb, order)), "".join(order)

    def flat(x: Value, labels: str, groups: list[list[str]]) -> Value:
        wide = node.expand(x, [size[c] if c in batch + inner else n for c, n in zip(labels, x.shape, strict=True)])
        moved = node.transpose(wide, [labels.index(c) for group in groups for c in group])
        lead = [size[c] for c in groups[0]]
        return node.reshape(moved, [*lead, *[_product(size, g) for g in groups[1:]]])

    y = node.matmul(flat(a, la, [batch, rows, inner]), flat(b, lb, [batch, inner, columns]))
    order = batch + rows + columns
    return node.reshape(y, [size[c] for c in order]), "".join(order)


def _aligned(node: NodeContext, x: Value, labels: str, order: list[str]) -> Value:
    """x with its axes in ``order``, size 1 where it has none."""
    present = [c for c in order if c in labels]
    moved = node.transpose(x, [labels.index(c) for c in present])
    sizes = dict(zip(present, moved.shape, strict=True))
    return node.reshape(moved, [sizes.get(c, 1) for c in order])


def _product(size: dict[str, int], labels: list[str]) -> int:
    out = 1
    for c in labels:
        out *= size[c]
    return out
