"""Graphs and buffers for the planner's tests: random ones, and ones shaped like language models."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from emberc.memory import Buffer, Node

SIZES = (0, 1, 3, 7, 16, 17, 33, 129)


@st.composite
def buffers(draw: st.DrawFn, max_count: int = 12, steps: int = 8) -> list[Buffer]:
    """Up to ``max_count`` buffers with lifetimes inside ``steps`` steps and mixed alignments."""
    found = []
    for i in range(draw(st.integers(1, max_count))):
        start = draw(st.integers(0, steps - 1))
        end = draw(st.integers(start + 1, steps))
        found.append(Buffer(f"b{i}", draw(st.sampled_from(SIZES)), start, end, draw(st.sampled_from((1, 4, 16)))))
    return found


@st.composite
def problems(draw: st.DrawFn, max_nodes: int = 6) -> dict[str, Any]:
    """Arguments of ``plan_memory``: a random graph with views, scratch, in-place offers, external tensors."""
    tensors: dict[str, int] = {}
    inputs = [f"in{i}" for i in range(draw(st.integers(0, 2)))]
    for name in inputs:
        tensors[name] = draw(st.sampled_from(SIZES))
    nodes: list[Node] = []
    for v in range(draw(st.integers(1, max_nodes))):
        known = list(tensors)
        reads = tuple(draw(st.lists(st.sampled_from(known), max_size=3, unique=True))) if known else ()
        if reads and draw(st.integers(0, 5)) == 0:
            base = reads[0]
            size = draw(st.integers(0, tensors[base]))
            out = f"v{v}"
            links = {out: (base, draw(st.integers(0, tensors[base] - size)))}
            tensors[out] = size
            nodes.append(Node(f"n{v}", reads, (out,), views=links))
            continue
        writes = tuple(f"t{v}.{i}" for i in range(draw(st.integers(1, 2))))
        inplace = {}
        for out in writes:
            tensors[out] = draw(st.sampled_from(SIZES))
            if reads and draw(st.booleans()):
                inplace[out] = tuple(draw(st.lists(st.sampled_from(reads), min_size=1, max_size=2, unique=True)))
        nodes.append(Node(f"n{v}", reads, writes, draw(st.sampled_from((0, 0, 5, 40))), inplace))
    outputs = draw(st.lists(st.sampled_from(list(tensors)), max_size=2, unique=True))
    external = [t for t in inputs + outputs if draw(st.integers(0, 3)) == 0]
    return {
        "nodes": draw(st.permutations(nodes)) if draw(st.booleans()) else nodes,
        "tensors": tensors,
        "inputs": inputs,
        "outputs": outputs,
        "external": external,
        "align": draw(st.sampled_from((1, 4, 16))),
    }


def encoder(
    layers: int = 2, rows: int = 128, width: int = 128, hidden: int = 512, *, inplace: bool = True
) -> dict[str, Any]:
    """A BERT of int8 activations with an int16 residual stream, in the shape that emberc lowers it to."""
    tensors = {"ids": 4 * rows, "mask": rows}
    nodes: list[Node] = []

    def op(name: str, reads: list[str], size: int, scratch: int = 0, over: list[str] | None = None) -> str:
        tensors[f"{name}.y"] = size
        offers = {f"{name}.y": tuple(over)} if over and inplace else {}
        nodes.append(Node(name, tuple(reads), (f"{name}.y",), scratch, offers))
        return f"{name}.y"

    narrow, wide = rows * width, 2 * rows * width
    x = op("embed", ["ids"], wide)
    x = op("embed.norm", [x], wide, over=[x])
    for i in range(layers):
        q, k, v = (op(f"{i}.{part}", [x], narrow) for part in "qkv")
        a = op(f"{i}.attention", [q, k, v, "mask"], narrow, scratch=4 * rows, over=[q])
        o = op(f"{i}.out", [a], wide)
        s = op(f"{i}.add", [o, x], wide, over=[o, x])
        n = op(f"{i}.norm", [s], wide, over=[s])
        f = op(f"{i}.up", [n], rows * hidden)
        g = op(f"{i}.down", [f], wide)
        s = op(f"{i}.add2", [g, n], wide, over=[g, n])
        x = op(f"{i}.norm2", [s], wide, over=[s])
    op("head", [x], 8)
    return {"nodes": nodes, "tensors": tensors, "inputs": ["ids", "mask"], "outputs": ["head.y"]}


def mixers(layers: int = 4, rows: int = 64, width: int = 64, *, inplace: bool = True) -> dict[str, Any]:
    """Blocks in the shape of Mamba: an expansion, a gate beside a scan with parallel projections, a residual."""
    tensors = {"x": rows * width}
    nodes: list[Node] = []

    def op(name: str, reads: list[str], size: int, scratch: int = 0, over: list[str] | None = None) -> str:
        tensors[f"{name}.y"] = size
        nodes.append(
            Node(name, tuple(reads), (f"{name}.y",), scratch, {f"{name}.y": tuple(over)} if over and inplace else {})
        )
        return f"{name}.y"

    x = "x"
    for i in range(layers):
        n = op(f"{i}.norm", [x], rows * width)
        gate = op(f"{i}.gate", [n], 2 * rows * width)
        u = op(f"{i}.in", [n], 2 * rows * width)
        c = op(f"{i}.conv", [u], 2 * rows * width, over=[u])
        dt = op(f"{i}.dt", [c], 2 * rows * width)
        b, d = op(f"{i}.B", [c], rows * 16), op(f"{i}.C", [c], rows * 16)
        y = op(f"{i}.scan", [c, dt, b, d], 2 * rows * width, scratch=width * 32, over=[c, dt])
        g = op(f"{i}.mul", [y, gate], 2 * rows * width, over=[y, gate])
        p = op(f"{i}.out", [g], rows * width)
        x = op(f"{i}.add", [p, x], rows * width, over=[p, x])
    op("head", [x], 8)
    return {"nodes": nodes, "tensors": tensors, "inputs": ["x"], "outputs": ["head.y"]}


def branches(width: int, depth: int, seed: int = 1) -> dict[str, Any]:
    """``width`` independent chains between one source and one sum: as many orders as a graph can have."""
    tensors = {"x": 64}
    nodes = []
    ends = []
    for i in range(width):
        last = "x"
        for j in range(depth):
            seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
            out = f"{i}.{j}"
            tensors[out] = 16 * (1 + (seed >> 16) % 64)
            nodes.append(Node(out, (last,), (out,)))
            last = out
        ends.append(last)
    tensors["sum"] = 16
    nodes.append(Node("sum", tuple(ends), ("sum",)))
    return {"nodes": nodes, "tensors": tensors, "inputs": ["x"], "outputs": ["sum"]}
