"""I-BERT in integer mode: its float-held integers become firmware's, with the scales of its own activations."""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from emberc.ir.types import Quant
from tests.quant.quantized_files import firmware_answer, integer_module

LENGTH, WORDS = 12, 50


@pytest.fixture(scope="module")
def ibert(tmp_path_factory: pytest.TempPathFactory) -> onnx.ModelProto:
    """One layer of width 32 with shaken weights; four batches set the ranges of its activations."""
    torch = pytest.importorskip("torch")
    from transformers import IBertConfig, IBertModel

    torch.manual_seed(0)
    config = IBertConfig(
        vocab_size=WORDS, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=20, quant_mode=True, pad_token_id=1,
    )  # fmt: skip
    model = IBertModel(config, add_pooling_layer=False).train()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.02 * torch.randn_like(p))
        for _ in range(4):
            model(torch.randint(2, WORDS, (4, LENGTH)))

    class Encoder(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.model = model.eval()

        def forward(self, ids):  # type: ignore[no-untyped-def]
            return self.model(ids, attention_mask=torch.ones_like(ids)).last_hidden_state

    path: Path = tmp_path_factory.mktemp("ibert") / "ibert.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = {"input_names": ["ids"], "output_names": ["y"]}
        torch.onnx.export(
            Encoder(), (torch.zeros(1, LENGTH).long() + 3,), path, dynamo=False, opset_version=17, **names
        )
    return onnx.load(path)


def samples(count: int, seed: int) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    return [{"ids": rng.integers(2, WORDS, (1, LENGTH))} for _ in range(count)]


@pytest.mark.slow
def test_integer_mode_agrees_within_single_steps(ibert: onnx.ModelProto) -> None:
    """Output steps of 1/40 of a standard deviation: 95 in 100 elements within one, none further than 3. The real
    GELU against I-BERT's (0.018 apart at most) and a softmax rounded, not floored, are in that."""
    module = integer_module(ibert, samples(16, 1))
    session = onnxruntime.InferenceSession(ibert.SerializeToString())
    step = module.main.outputs["y"].type.quant
    assert isinstance(step, Quant)
    apart = np.concatenate(
        [np.abs(session.run(None, s)[0] - firmware_answer(module, s)) / step.scale[0] for s in samples(8, 2)]
    )
    assert apart.max() <= 3.001
    assert (apart <= 1.001).mean() >= 0.95


@pytest.mark.slow
def test_integer_functions_are_the_ops_of_firmware(ibert: onnx.ModelProto) -> None:
    ops = Counter(op.opcode for op in integer_module(ibert, samples(16, 1)).main.ops)
    assert (ops["q.softmax"], ops["q.layer_norm"], ops["q.matmul"], ops["q.batch_matmul"]) == (1, 3, 6, 2)
    assert not {"q.reduce_sum", "q.reduce_max", "q.mul"} & set(ops)
