"""torch's own encoder: nn.TransformerEncoder over nn.MultiheadAttention, a key padding mask, the mean of all rows."""

import torch
from torch import nn

from tests.zoo.families.wrap import shaken
from tests.zoo.family import Family, sentences


class _Encoder(nn.Module):
    def __init__(self, vocab: int, width: int) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(width, 2, 2 * width, batch_first=True, norm_first=True, activation="gelu")
        self.embed = nn.Embedding(vocab, width)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(width, 3)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """[1, L] int64 each -> [1, 3]."""
        x = self.encoder(self.embed(input_ids), src_key_padding_mask=attention_mask == 0)
        logits: torch.Tensor = self.head(x.mean(1))
        return logits


def build(length: int = 12) -> Family:
    """ids, mask -> [1, 3] logits."""
    return Family(shaken(_Encoder(100, 32)), sentences(100, length))
