"""A sentence encoder: DistilBERT, the mean over the tokens that the mask shows, length 1."""

import torch
from torch import nn
from transformers import DistilBertConfig, DistilBertModel

from tests.zoo.families.wrap import shaken
from tests.zoo.family import Family, sentences


class _Pooled(nn.Module):
    def __init__(self, model: nn.Module, pooling: str) -> None:
        super().__init__()
        self.model, self.pooling = model, pooling

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """[1, L] int64 each -> [1, 32] of length 1."""
        x = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        seen = attention_mask.unsqueeze(-1).expand(x.size()).float()
        if self.pooling == "max":
            pooled = x.masked_fill(seen == 0, -1e9).max(1).values
        else:
            pooled = (x * seen).sum(1) / torch.clamp(seen.sum(1), min=1e-9)
        return nn.functional.normalize(pooled, p=2, dim=1)


def build(pooling: str = "mean", length: int = 12) -> Family:
    """ids, mask -> [1, 32]; ``pooling`` "mean" or "max"."""
    config = DistilBertConfig(
        vocab_size=100, dim=32, n_layers=2, n_heads=2, hidden_dim=64, max_position_embeddings=length
    )
    return Family(_Pooled(shaken(DistilBertModel(config)), pooling), sentences(100, length))
