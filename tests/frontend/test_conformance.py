"""ONNX's conformance suite: what the frontend accepts must be right, and what it refuses must be a clear refusal."""

from collections import Counter

import pytest

from emberc.frontend.load import OLDEST_OPSET
from emberc.support import collect_cases, float_outcome

# The operators that exports of transformers hold and that the suite has in an applicable type: all cases must pass.
_TRANSFORMERS = """
Add Sub Mul Div Pow Sqrt Reciprocal Exp Neg Erf Gelu Tanh Sigmoid Relu Softplus Softmax Clip LayerNormalization
RMSNormalization ReduceMean ReduceSum CumSum MatMul Gemm Conv Gather GatherND Concat Slice Split Pad Reshape Flatten
Transpose Unsqueeze Squeeze Expand Where And Equal Greater Less IsNaN Identity Constant Shape ConstantOfShape
Range GreaterOrEqual Trilu Tile Mod OneHot Floor Round Abs Sign Min Max ReduceMax Swish RotaryEmbedding
Resize Attention ScatterND ScatterElements ConvTranspose STFT TensorScatter QuantizeLinear DequantizeLinear
QLinearMatMul QLinearConv MatMulInteger ConvInteger DynamicQuantizeLinear LinearAttention CausalConvWithState"""
REQUIRED = set(_TRANSFORMERS.split())
PASSING_SHARE = 0.95  # of all applicable cases; a change that lowers it loses an operator


def test_operators_of_transformers() -> None:
    chosen = [c for c in collect_cases() if c.op in REQUIRED and c.opset >= OLDEST_OPSET]
    assert {c.op for c in chosen} == REQUIRED
    failed = {c.name: o for c in chosen if (o := float_outcome(c)) != "pass"}
    assert not failed


@pytest.mark.slow
def test_everything_passes_or_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = {c.name: float_outcome(c) for c in collect_cases()}
    kinds = Counter(o.split(":")[0] for o in outcomes.values())
    with capsys.disabled():
        print(f"\nONNX cases: {dict(kinds)} of {len(outcomes)}")
    assert not {name: o for name, o in outcomes.items() if o.startswith("wrong")}
    assert kinds["pass"] >= PASSING_SHARE * len(outcomes)
