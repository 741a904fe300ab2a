"""Order and liveness of ONNX nodes: what reads what, across subgraphs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import onnx

from emberc.errors import ModelError


def node_label(node: onnx.NodeProto, index: int) -> str:
    """The node's name, or its type and position where it has none."""
    return node.name or f"{node.op_type}_{index}"


def reads(node: onnx.NodeProto) -> set[str]:
    """Names that a node reads, those that its subgraphs capture included."""
    names = {i for i in node.input if i}
    for attribute in node.attribute:
        for graph in [attribute.g, *attribute.graphs] if attribute.HasField("g") or attribute.graphs else []:
            names |= _captured(graph)
    return names


def live_nodes(nodes: Sequence[onnx.NodeProto], outputs: Iterable[str]) -> tuple[list[int], set[str]]:
    """Positions of the nodes that ``outputs`` need, in order, and every name that is read."""
    needed = set(outputs)
    live = []
    for i in range(len(nodes) - 1, -1, -1):
        if any(o in needed for o in nodes[i].output):
            live.append(i)
            needed |= reads(nodes[i])
    return live[::-1], needed


def check_order(nodes: Sequence[onnx.NodeProto], known: set[str], label: str) -> None:
    """Every name is defined once and before it is read; ``known`` are those defined outside.

    Raises ModelError that names the nodes, and for a cycle all nodes on it.
    """
    makers: dict[str, int] = {}
    for i, node in enumerate(nodes):
        for o in node.output:
            if o and (o in makers or o in known):
                raise ModelError(f"'{o}' is defined twice", at=f"{label}: node '{node_label(node, i)}'")
            if o:
                makers[o] = i
    for i, node in enumerate(nodes):
        for name in reads(node):
            maker = makers.get(name)
            if maker is None and name not in known:
                raise ModelError(
                    f"'{name}' is read, but nothing defines it", at=f"{label}: node '{node_label(node, i)}'"
                )
            if maker is not None and maker >= i:
                raise _unsorted(nodes, makers, name, i, label)


def _captured(graph: onnx.GraphProto) -> set[str]:
    own = {i.name for i in graph.input} | {t.name for t in graph.initializer}
    names = {o.name for o in graph.output}
    for node in graph.node:
        names |= reads(node)
        own |= set(node.output)
    return names - own


def _unsorted(
    nodes: Sequence[onnx.NodeProto], makers: dict[str, int], name: str, reader: int, label: str
) -> ModelError:
    cycle = _cycle(nodes, makers)
    if cycle:
        shown = [f"'{node_label(nodes[i], i)}'" for i in [*cycle, cycle[0]]]
        path = " -> ".join(shown if len(shown) <= 10 else [*shown[:8], "...", shown[-1]])
        return ModelError(
            f"the graph has a cycle through {len(cycle)} nodes: {path}",
            code="E-CYCLE",
            at=label,
            hints=["a graph must be acyclic: export a recurrence as Scan or unrolled, with its state as input"],
        )
    first, second = node_label(nodes[reader], reader), node_label(nodes[makers[name]], makers[name])
    return ModelError(
        f"the nodes are not in order: '{first}' reads '{name}' before '{second}' makes it",
        code="E-ORDER",
        at=label,
        hints=["sort the graph, for example with onnx_ir.passes.common.TopologicalSortPass"],
    )


def _cycle(nodes: Sequence[onnx.NodeProto], makers: dict[str, int]) -> list[int]:
    """Some cycle of node positions in the direction of the data, or nothing. Depth first, without recursion."""
    before = [sorted({makers[n] for n in reads(node) if n in makers}) for node in nodes]
    state = [0] * len(nodes)  # 0 new, 1 on the path, 2 done
    for start in range(len(nodes)):
        path, todo = [], [(start, 0)] if not state[start] else []
        while todo:
            i, k = todo.pop()
            if k == 0:
                state[i] = 1
                path.append(i)
            if k < len(before[i]):
                todo.append((i, k + 1))
                j = before[i][k]
                if state[j] == 1:
                    return path[path.index(j) :][::-1]
                if not state[j]:
                    todo.append((j, 0))
            else:
                state[i] = 2
                path.pop()
    return []
