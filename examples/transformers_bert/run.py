"""A BERT straight from transformers to firmware: build, export, compile, run on emulated boards.

    python examples/transformers_bert/run.py --model 2mb --length 256 --on host,cortex-m7

The weights are random (nothing is fetched): the point is what the compiler does with the exporter's file. To use your
own model, put it in the place of ``build`` and real tokens in the place of ``sentences``.
"""

from __future__ import annotations

import argparse
import logging
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn
from transformers import BertConfig, BertForSequenceClassification, BertForTokenClassification

import emberc
from emberc.errors import EmberError
from emberc.harness import test_build
from emberc.report import render

#: vocabulary, width, feed-forward width, activation
MODELS = {"2mb": (2048, 80, 160, "relu"), "tiny": (30522, 128, 512, "gelu"), "bench": (1000, 128, 512, "gelu")}


class Classifier(nn.Module):
    """Tensors in, logits out, as exporters like it."""

    def __init__(self, bert: nn.Module) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """[batch, L] int64 each -> [batch, 2], or [batch, L, 2] with a label for every token"""
        logits: torch.Tensor = self.bert(input_ids, attention_mask=attention_mask).logits
        return logits


def build(model: str, length: int, *, every_token: bool = False) -> nn.Module:
    """A two-layer, two-head BERT of that size, weights spread as trained ones are.

    With ``every_token`` the head labels every token, so that no row of the last layer can be left out.
    """
    vocab, width, ff, act = MODELS[model]
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=vocab,
        hidden_size=width,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=ff,
        hidden_act=act,
        max_position_embeddings=max(512, length),
    )
    family = BertForTokenClassification if every_token else BertForSequenceClassification
    bert = family(config).eval()
    with torch.no_grad():
        for module in bert.modules():
            if isinstance(module, nn.Linear):
                module.weight.normal_(0, module.in_features**-0.5)
            elif isinstance(module, nn.LayerNorm):
                module.weight.normal_(1, 0.2)
    return Classifier(bert).eval()


def sentences(model: str, length: int, count: int = 16) -> dict[str, np.ndarray]:
    """Random token ids of different lengths, padded: [count, L] int64 each."""
    rng = np.random.default_rng(0)
    used = rng.integers(4, length + 1, (count, 1))
    mask = np.arange(length) < used
    ids = np.where(mask, rng.integers(5, MODELS[model][0], (count, length)), 0)
    return {"input_ids": ids.astype(np.int64), "attention_mask": mask.astype(np.int64)}


def export(model: nn.Module, data: dict[str, np.ndarray], path: Path, exporter: str) -> None:
    """The file as torch writes it, without what its libraries warn each other of."""
    example = tuple(torch.from_numpy(a[:1]) for a in data.values())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        torch.onnx.export(
            model,
            example,
            path,
            input_names=list(data),
            output_names=["logits"],
            dynamo=exporter == "dynamo",
            external_data=False,
            verbose=False,
        )
        logging.disable(logging.NOTSET)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=MODELS, default="2mb")
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--exporter", choices=["dynamo", "torchscript"], default="dynamo")
    parser.add_argument("--every-token", action="store_true", help="a label for every token, not for the sentence")
    parser.add_argument("--target", default="cortex-m7")
    parser.add_argument("--prefer", choices=["speed", "balanced", "memory"], default="balanced")
    parser.add_argument("--fit", action="store_true", help="squeeze weights until the build is below 2 MiB")
    parser.add_argument("--on", default="host", help="targets to run on, comma separated")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "build")
    options = parser.parse_args()

    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"bert_{options.model}.onnx"
    data = sentences(options.model, options.length)
    export(build(options.model, options.length, every_token=options.every_token), data, path, options.exporter)
    try:
        firmware = emberc.compile(path, calibration=data, target=options.target, prefer=options.prefer, fit=options.fit)
        print(render(firmware.report))
        build_dir = firmware.write(options.out / "firmware")
        for run in test_build(build_dir, options.on.split(",")):
            verdict = run.error.message if run.error else f"{run.mismatches} mismatches in {run.vectors} vectors"
            work = f", {run.instructions:,} instructions" if run.instructions else ""
            print(f"{run.on:11}{verdict}{work}")
    except EmberError as error:
        raise SystemExit(error.render()) from None


if __name__ == "__main__":
    main()
