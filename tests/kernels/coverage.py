"""Which test compares each integer op's kernel with its reference; ``tests/ir/test_ops.py`` holds the table to it."""

from __future__ import annotations

KERNEL_TESTS = {
    "q.matmul": "test_matmul.test_matmul",
    "q.batch_matmul": "test_matmul.test_batch_matmul",
    "q.attention": "test_attention.test_attention",
    "q.depthwise_rows": "test_rows.test_depthwise_rows",
    "q.biased_attention": "test_biased_attention.test_biased_attention",
    "q.layer_norm": "test_norm.test_layer_norm",
    "q.softmax": "test_norm.test_softmax",
    "q.add": "test_elementwise.test_add_and_mul",
    "q.mul": "test_elementwise.test_add_and_mul",
    "q.requantize": "test_elementwise.test_requantize",
    "q.table": "test_elementwise.test_table",
    "q.table16": "test_elementwise.test_table16",
    "q.embed": "test_embed.test_embed",
    "q.gather": "test_embed.test_gather",
    "q.reshape": "test_movement.test_expand_pad_and_reshape",
    "q.transpose": "test_movement.test_transpose",
    "q.slice": "test_movement.test_slice",
    "q.concat": "test_movement.test_concat",
    "q.pad": "test_movement.test_expand_pad_and_reshape",
    "q.expand": "test_movement.test_expand_pad_and_reshape",
    "q.nonzero": "test_logic.test_nonzero",
    "q.compare": "test_logic.test_compare",
    "q.logical": "test_logic.test_logical",
    "q.where": "test_logic.test_where",
    "q.reduce_sum": "test_reduce.test_reduce",
    "q.reduce_max": "test_reduce.test_reduce",
}
