"""Operators on the bits of integers."""

from __future__ import annotations

import numpy as np

from emberc.frontend.context import NodeContext
from emberc.frontend.registry import importer
from emberc.frontend.tensors import element_type
from emberc.ir.ops.float_bits import Bitcast, Bitwise
from emberc.ir.values import Value

KINDS = {"BitwiseAnd": "and", "BitwiseOr": "or", "BitwiseXor": "xor"}


@importer(*KINDS)
def bitwise(node: NodeContext) -> Value:
    return node.emit(Bitwise, node.input(0), node.input(1), kind=KINDS[node.op_type])


@importer("BitwiseNot")
def bitwise_not(node: NodeContext) -> Value:
    """Every bit against one."""
    x = node.input(0)
    return node.emit(Bitwise, x, node.constant(np.invert(np.zeros((), x.type.dtype.numpy))), kind="xor")


@importer("BitShift")
def bit_shift(node: NodeContext) -> Value:
    return node.emit(Bitwise, node.input(0), node.input(1), kind=node.text("direction").lower())


@importer("BitCast")
def bit_cast(node: NodeContext) -> Value:
    return node.emit(Bitcast, node.input(0), to=element_type(node.integer("to"), node.place).value)
