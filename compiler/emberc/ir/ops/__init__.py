"""The op classes, one file a family; importing this package registers them all."""

from emberc.ir.ops import float_binary as float_binary
from emberc.ir.ops import float_fused as float_fused
from emberc.ir.ops import float_linear as float_linear
from emberc.ir.ops import float_movement as float_movement
from emberc.ir.ops import float_norm as float_norm
from emberc.ir.ops import float_reduce as float_reduce
from emberc.ir.ops import float_unary as float_unary
