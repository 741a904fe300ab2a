"""A BERT with LoRA adapters on query and value, as adapters or merged into the weights: W' = W + (alpha / r) B A."""

import torch
from torch import nn
from transformers import BertConfig, BertForSequenceClassification

from tests.zoo.families.wrap import Masked, shaken
from tests.zoo.family import Family, sentences

RANK, ALPHA = 4, 8


class _Adapted(nn.Module):
    def __init__(self, base: nn.Linear) -> None:
        super().__init__()
        self.base = base
        self.down = nn.Linear(base.in_features, RANK, bias=False)
        self.up = nn.Linear(RANK, base.out_features, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.base(x) + self.up(self.down(x)) * (ALPHA / RANK)
        return out

    def merge(self) -> nn.Linear:
        with torch.no_grad():
            self.base.weight += ALPHA / RANK * self.up.weight @ self.down.weight
        return self.base


def build(merged: bool = False, length: int = 8) -> Family:
    """ids, mask -> [1, 2] logits."""
    config = BertConfig(
        vocab_size=64, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=length, attn_implementation="eager",
    )  # fmt: skip
    model = BertForSequenceClassification(config)
    layers = [layer.attention.self for layer in model.bert.encoder.layer]
    for attention in layers:
        attention.query, attention.value = _Adapted(attention.query), _Adapted(attention.value)
    shaken(model)
    if merged:
        for attention in layers:
            attention.query, attention.value = attention.query.merge(), attention.value.merge()
    return Family(Masked(model), sentences(64, length))
