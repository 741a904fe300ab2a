"""ViT: patches of an image as tokens, a class token before them."""

import numpy as np
import torch
from torch import nn
from transformers import ViTConfig, ViTForImageClassification

from tests.zoo.families.wrap import shaken
from tests.zoo.family import SAMPLES, Family


class _Classifier(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """[1, 3, 16, 16] -> [1, 2]."""
        logits: torch.Tensor = self.model(pixel_values=pixel_values).logits
        return logits


def build() -> Family:
    """Pixels -> [1, 2] logits."""
    config = ViTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, image_size=16, patch_size=4
    )
    pixels = np.random.default_rng(3).standard_normal((SAMPLES, 3, 16, 16)).astype(np.float32)
    return Family(_Classifier(shaken(ViTForImageClassification(config))), {"pixel_values": pixels})
