"""CLIP's text tower: causal attention under a padding mask, the row of the largest id projected."""

import torch
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

from tests.zoo.families.wrap import shaken
from tests.zoo.family import Family, sentences


class _Text(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """[1, L] int64 each -> [1, 16]."""
        embeds: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).text_embeds
        return embeds


def build(length: int = 12) -> Family:
    """ids, mask -> [1, 16]."""
    config = CLIPTextConfig(
        vocab_size=100, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=length, eos_token_id=2, projection_dim=16,
    )  # fmt: skip
    return Family(_Text(shaken(CLIPTextModelWithProjection(config))), sentences(100, length))
