"""Linear attention and the stateful causal convolution of opset 27."""

from __future__ import annotations

import numpy as np

from emberc.frontend.context import NodeContext
from emberc.frontend.registry import importer
from emberc.ir.ops import float_unary as fu
from emberc.ir.ops.float_scan import CausalConv, Recurrence
from emberc.ir.values import Value

RULES = ("linear", "gated", "delta", "gated_delta")
#: steps of the delta rules, which have no form but one step after the other
DELTA_STEPS = 64


@importer("CausalConvWithState", since=27)
def causal_conv(node: NodeContext) -> list[Value | None]:
    """f.causal_conv, channels last: input [B, C, L], weight [C, 1, K], states [B, C, K - 1]."""
    x, w, past = node.input(0), node.input(1), node.optional(3)
    activation = node.text("activation", "none")
    if activation not in ("none", "silu", "swish"):
        raise node.refuse(f"activation={activation!r}", "'none', 'silu', 'swish'")
    y, tail = node.emit_all(
        CausalConv,
        node.swap_last(x),
        node.transpose(node.reshape(w, [w.shape[0], w.shape[2]]), [1, 0]),
        node.optional(2),
        None if past is None else node.swap_last(past),
        silu=activation != "none",
    )
    return [node.swap_last(y), node.swap_last(tail)]


@importer("LinearAttention", since=27)
def linear_attention(node: NodeContext) -> list[Value | None]:
    """o[t] = scale * q[t] S[t] over states S [B, H, dk, dv] that ``update_rule`` carries on; q, k, v pack their heads.

    Katharopoulos et al. 2020 (linear), Yang et al. 2023 (gated), 2024 (delta rules).
    """
    rule = node.text("update_rule", "gated_delta")
    if rule not in RULES:
        raise node.refuse(f"update_rule={rule!r}", ", ".join(RULES))
    node.ignore("chunk_size")  # how to compute it, not what
    heads, shared = node.integer("kv_num_heads"), node.integer("q_num_heads")
    q, k, v = (_unpacked(node, node.input(i), n) for i, n in ((0, shared), (1, heads), (2, heads)))
    decay, beta, past = node.optional(4), node.optional(5), node.optional(3)
    keep = None
    if rule.startswith("gated"):
        if decay is None:
            raise node.invalid(f"update_rule {rule!r} needs its input 'decay'")
        keep = node.emit(fu.Exp, node.unsqueeze(_unpacked(node, decay, heads), 4))  # [B, H, T, dk or 1, 1]
    if rule.endswith("delta"):
        if beta is None:
            raise node.invalid(f"update_rule {rule!r} needs its input 'beta'")
        rate = node.transpose(node.unsqueeze(beta, 3), [0, 2, 1, 3])  # [B, H or 1, T, 1]
        states, last = _delta(node, k, v, rate, keep, past)
    else:
        update = node.mul(node.unsqueeze(k, 4), node.unsqueeze(v, 3))  # [B, H, T, dk, dv]
        one = node.scalar(1.0, update)
        states = node.emit(Recurrence, one if keep is None else keep, update, past, axis=2)
        last = node.slice(states, 2, k.shape[2] - 1, k.shape[2])
    out = _read(node, q, states, heads)
    return [out, node.reshape(last, [k.shape[0], heads, k.shape[3], v.shape[3]]) if node.wants(1) else None]


def _unpacked(node: NodeContext, x: Value, heads: int) -> Value:
    """[B, T, H * d] --> [B, H, T, d]"""
    if x.type.rank != 3 or heads < 1 or x.shape[2] % heads:
        raise node.invalid(f"{list(x.shape)} does not hold {heads} heads")
    b, t, width = x.shape
    return node.transpose(node.reshape(x, [b, t, heads, width // heads]), [0, 2, 1, 3])


def _read(node: NodeContext, q: Value, states: Value, heads: int) -> Value:
    """scale * q S for every step; ``group`` query heads read one state."""
    b, shared, t, dk = q.shape
    group, dv = shared // heads, states.shape[4]
    scale = node.number("scale") or dk**-0.5
    rows = node.transpose(node.reshape(q, [b, heads, group, t, dk]), [0, 1, 3, 2, 4])  # [B, H, T, group, dk]
    y = node.mul(node.matmul(rows, states), node.scalar(scale, q))
    return node.reshape(node.transpose(y, [0, 2, 1, 3, 4]), [b, t, shared * dv])


def _delta(
    node: NodeContext, k: Value, v: Value, rate: Value, keep: Value | None, past: Value | None
) -> tuple[Value, Value]:
    """S' = keep S + rate k (v - k (keep S)), step after step: what is added depends on the state, so no scan."""
    b, heads, steps, dk = k.shape
    if steps > DELTA_STEPS:
        raise node.refuse(f"a delta rule over {steps} steps", f"up to {DELTA_STEPS}, or one with its state in and out")
    shape = [b, heads, dk, v.shape[3]]
    s = node.constant(np.zeros(shape), k.type.dtype) if past is None else past
    place, rows = node.builder.loc, []
    for t in range(steps):
        node.builder.loc = f"{place}[{t}]/{node.op_type}"  # as a Loop would be named, for the notes
        at = [node.slice(x, 2, t, t + 1) for x in (k, v, rate)]  # [B, H, 1, ..]
        if keep is not None:
            now = node.slice(keep, 2, t, t + 1)
            s = node.mul(node.reshape(now, [*now.shape[:2], *now.shape[3:]]), s)
        error = node.mul(at[2], node.sub(at[1], node.matmul(at[0], s)))
        s = node.add(s, node.matmul(node.swap_last(at[0]), error))
        rows.append(node.unsqueeze(s, 2))
    node.builder.loc = place
    return node.concat(rows, 2), s
