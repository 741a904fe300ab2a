"""The op classes, one file a family; importing this package registers them all."""

from emberc.ir.ops import float_biased as float_biased
from emberc.ir.ops import float_binary as float_binary
from emberc.ir.ops import float_bits as float_bits
from emberc.ir.ops import float_elementary as float_elementary
from emberc.ir.ops import float_fused as float_fused
from emberc.ir.ops import float_linear as float_linear
from emberc.ir.ops import float_movement as float_movement
from emberc.ir.ops import float_norm as float_norm
from emberc.ir.ops import float_reduce as float_reduce
from emberc.ir.ops import float_rows as float_rows
from emberc.ir.ops import float_scan as float_scan
from emberc.ir.ops import float_unary as float_unary
from emberc.ir.ops import integer_attention as integer_attention
from emberc.ir.ops import integer_biased as integer_biased
from emberc.ir.ops import integer_compare as integer_compare
from emberc.ir.ops import integer_elementwise as integer_elementwise
from emberc.ir.ops import integer_embed as integer_embed
from emberc.ir.ops import integer_index as integer_index
from emberc.ir.ops import integer_matmul as integer_matmul
from emberc.ir.ops import integer_movement as integer_movement
from emberc.ir.ops import integer_norm as integer_norm
from emberc.ir.ops import integer_reduce as integer_reduce
from emberc.ir.ops import integer_rows as integer_rows
from emberc.ir.ops import integer_table as integer_table
from emberc.ir.ops import row_tiles as row_tiles
