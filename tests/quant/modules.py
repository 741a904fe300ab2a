"""Small float functions for the quantization tests, written as text."""

from __future__ import annotations

from emberc.ir.graph import Module
from emberc.ir.parser import parse_module


def module(inputs: str, *lines: str, outs: str, constants: tuple[str, ...] = ()) -> Module:
    """A module with these inputs, op lines and outputs."""
    consts = "".join(f"  const {c}\n" for c in constants)
    body = "".join(f"    {line}\n" for line in lines)
    return parse_module(f"module @m {{\n{consts}  func @main({inputs}) {{\n{body}    return {outs}\n  }}\n}}\n")


def classifier() -> Module:
    """Token ids (through a cast and a reshape, as exporters write it), a mask and floats: every kind of input."""
    return module(
        "%input_ids : i64[1, 3], %attention_mask : i64[1, 3], %features : f32[1, 3, 2]",
        '%i = f.cast %input_ids {to = "i32"} : i32[1, 3]',
        "%j = f.reshape %i {shape = [3]} : i32[3]",
        "%e = f.gather %table, %j : f32[3, 2]",
        "%s = f.add %features, %e : f32[1, 3, 2]",
        '%f = f.cast %attention_mask {to = "f32"} : f32[1, 3]',
        outs='%s as "s", %f as "f"',
        constants=("%table : f32[5, 2] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]",),
    )
