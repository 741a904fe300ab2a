"""Models exported as one step with their state: written as ONNX text, with the shapes that exporters give them."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper, parser

#: rows of the decoder's cache, and its width
PAST, HEADS, SIZE = 5, 2, 4
WIDTH = HEADS * SIZE
VOCABULARY = 11
#: channels, states and taps of the state space model
CHANNELS, STATES, TAPS = 16, 4, 4

_HEADER = '<ir_version: 9, opset_import: ["" : 17]>'


def _with_weights(text: str, shapes: dict[str, tuple[int, ...]], seed: int) -> onnx.ModelProto:
    """The graph with random weights of those shapes, and what its nodes need as integers."""
    model = parser.parse_model(_HEADER + text)
    rng = np.random.default_rng(seed)
    for name, shape in shapes.items():
        spread = 1.0 if len(shape) == 1 else 0.8 / np.sqrt(shape[0])
        model.graph.initializer.append(numpy_helper.from_array(rng.normal(0, spread, shape).astype(np.float32), name))
    return model


def decoder() -> onnx.ModelProto:
    """A token, the mask of past and present, past keys and values; the cache comes out a row longer.

    Heads are one axis of the cache; the mask is added to the scores as -FLT_MAX.
    """
    text = f"""
    decoder (int64[1, 1] ids, int64[1, {PAST + 1}] mask, float[1, {HEADS}, {PAST}, {SIZE}] past_key,
             float[1, {HEADS}, {PAST}, {SIZE}] past_value)
        => (float[1, 1, {VOCABULARY}] logits, float[1, {HEADS}, {PAST + 1}, {SIZE}] key,
            float[1, {HEADS}, {PAST + 1}, {SIZE}] value)
    <float one = {{1}}, float huge = {{-3.4028235e38}}, int64[4] split = {{1, 1, {HEADS}, {SIZE}}},
     int64[3] merge = {{1, 1, {WIDTH}}}, int64[2] around = {{1, 2}}>
    {{
        x = Gather (table, ids)
        q0 = MatMul (x, wq)
        k0 = MatMul (x, wk)
        v0 = MatMul (x, wv)
        q1 = Reshape (q0, split)
        k1 = Reshape (k0, split)
        v1 = Reshape (v0, split)
        q = Transpose <perm = [0, 2, 1, 3]> (q1)
        k = Transpose <perm = [0, 2, 1, 3]> (k1)
        v = Transpose <perm = [0, 2, 1, 3]> (v1)
        key = Concat <axis = 2> (past_key, k)
        value = Concat <axis = 2> (past_value, v)
        turned = Transpose <perm = [0, 1, 3, 2]> (key)
        scores = MatMul (q, turned)
        seen = Cast <to = 1> (mask)
        hidden = Sub (one, seen)
        never = Mul (hidden, huge)
        over_heads = Unsqueeze (never, around)
        masked = Add (scores, over_heads)
        weights = Softmax <axis = -1> (masked)
        mixed = MatMul (weights, value)
        back = Transpose <perm = [0, 2, 1, 3]> (mixed)
        flat = Reshape (back, merge)
        out = MatMul (flat, wo)
        sum = Add (x, out)
        logits = MatMul (sum, head)
    }}
    """
    square = (WIDTH, WIDTH)
    shapes = {"table": (VOCABULARY, WIDTH), **{f"w{n}": square for n in "qkvo"}, "head": (WIDTH, VOCABULARY)}
    return _with_weights(text, shapes, 3)


def state_space(channels: int = CHANNELS) -> onnx.ModelProto:
    """One step of a selective state space model: a window of the last inputs, and the state of the scan.

    conv' = the window without its oldest column and with the new one; ssm' = exp(delta a) ssm + delta b x.
    """
    text = f"""
    step (float[1, 1, {channels}] x, float[1, {channels}, {TAPS - 1}] conv_state,
          float[1, {channels}, {STATES}] ssm_state)
        => (float[1, 1, {channels}] y, float[1, {channels}, {TAPS - 1}] conv_state_out,
            float[1, {channels}, {STATES}] ssm_state_out)
    <int64[1] last = {{2}}, int64[1] from = {{1}}, int64[1] to = {{{TAPS}}}, int64[1] middle = {{1}}>
    {{
        u0 = MatMul (x, win)
        column = Transpose <perm = [0, 2, 1]> (u0)
        window = Concat <axis = 2> (conv_state, column)
        conv_state_out = Slice (window, from, to, last)
        products = Mul (window, taps)
        u1 = ReduceSum <keepdims = 0> (products, last)
        gate = Sigmoid (u1)
        u2 = Mul (u1, gate)
        u = Unsqueeze (u2, middle)
        d0 = MatMul (u, wd)
        d1 = Softplus (d0)
        delta = Transpose <perm = [0, 2, 1]> (d1)
        b1 = MatMul (u, wb)
        c1 = MatMul (u, wc)
        b = Add (b1, mean_b)
        c = Add (c1, mean_c)
        rate = Exp (log_a)
        a = Neg (rate)
        da = Mul (delta, a)
        decay = Exp (da)
        kept = Mul (decay, ssm_state)
        wide = Transpose <perm = [0, 2, 1]> (u)
        du = Mul (delta, wide)
        update = Mul (du, b)
        ssm_state_out = Add (kept, update)
        read = Mul (ssm_state_out, c)
        y0 = ReduceSum <keepdims = 0> (read, last)
        y1 = Unsqueeze (y0, middle)
        y = MatMul (y1, wout)
    }}
    """
    square = (channels, channels)
    shapes = dict.fromkeys(("win", "wd", "wout"), square) | dict.fromkeys(("wb", "wc", "log_a"), (channels, STATES))
    return _with_weights(text, shapes | {"taps": (channels, TAPS), "mean_b": (STATES,), "mean_c": (STATES,)}, 4)
