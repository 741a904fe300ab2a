"""Keyword spotting: one Mamba block over the spectrum of a second of sound, the size that float peers publish."""

import numpy as np
import torch
from torch import nn
from transformers import MambaConfig, MambaModel

from tests.zoo.families.mamba import shaken_scans
from tests.zoo.family import SAMPLES, Family

FEATURES, WIDTH, CLASSES = 40, 64, 12


class Keywords(nn.Module):
    """Frames [1, L, 40] -> linear -> Mamba block and its norm -> mean over time -> linear [1, 12]."""

    def __init__(self) -> None:
        super().__init__()
        config = MambaConfig(
            vocab_size=1, hidden_size=WIDTH, state_size=16, num_hidden_layers=1, expand=2, conv_kernel=4,
            time_step_rank=4, use_cache=False,
        )  # fmt: skip
        self.into = nn.Linear(FEATURES, WIDTH)
        self.mamba = MambaModel(config)
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """[1, L, 40] -> [1, 12]."""
        x = self.mamba(inputs_embeds=self.into(frames), use_cache=False).last_hidden_state
        logits: torch.Tensor = self.head(x.mean(1))
        return logits


def build(length: int = 100) -> Family:
    """Features as cepstra are, the first ones largest, each a slow walk from frame to frame."""
    rng = np.random.default_rng(8)
    steps = rng.standard_normal((SAMPLES, length, FEATURES)) * np.linspace(1.0, 0.2, FEATURES)
    frames = np.empty_like(steps)
    frames[:, 0] = steps[:, 0]
    for t in range(1, length):
        frames[:, t] = 0.9 * frames[:, t - 1] + 0.44 * steps[:, t]
    return Family(shaken_scans(Keywords()), {"frames": frames.astype(np.float32)})
