"""Mamba from transformers: the 2 MB build with its RMS-pooling head, and base configurations."""

import math
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import Mamba2Config, Mamba2Model, MambaConfig, MambaForCausalLM, MambaModel

from tests.zoo.families.wrap import Unmasked, shaken
from tests.zoo.family import FIRST_WORD, SAMPLES, Family

#: published shapes: width, layers, state N, expansion, vocabulary
SHAPES = {
    "toy": {"width": 16, "layers": 2, "state": 6, "expand": 1, "vocab": 64},
    "2mb": {"width": 64, "layers": 5, "state": 6, "expand": 1, "vocab": 2048},
    "base2": {"width": 64, "layers": 2, "state": 16, "expand": 2, "vocab": 256},
    "base4": {"width": 128, "layers": 4, "state": 16, "expand": 2, "vocab": 256},
}


class Pooled(nn.Module):
    """A Mamba with the head of the 2 MB build: sqrt(mean over time of x^2), then a linear."""

    def __init__(self, mamba: nn.Module, width: int) -> None:
        super().__init__()
        self.mamba = mamba
        self.head = nn.Linear(width, 2)

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        """[1, L] int64 -> [1, 2]."""
        x = self.mamba(input_ids, use_cache=False).last_hidden_state
        logits: torch.Tensor = self.head(torch.sqrt(torch.mean(x * x, dim=1)))
        return logits


def build(shape: str = "toy", head: str = "pool", length: int = 8) -> Family:
    """ids -> [1, 2] with the pooling head, [1, L, vocab] with "causal", [1, L, width] with "none" and "chunked"."""
    if shape == "chunked":
        return _chunked(length)
    s = SHAPES[shape]
    config = MambaConfig(
        vocab_size=s["vocab"], hidden_size=s["width"], state_size=s["state"], num_hidden_layers=s["layers"],
        expand=s["expand"], conv_kernel=4, time_step_rank=4, use_cache=False,
    )  # fmt: skip
    family: Any = MambaForCausalLM if head == "causal" else MambaModel
    mamba = family(config)
    module = Pooled(mamba, s["width"]) if head == "pool" else mamba
    shaken_scans(module)
    return Family(
        module.eval() if head == "pool" else Unmasked(module, use_cache=False),
        _ids(s["vocab"], length),
    )


def _chunked(length: int) -> Family:
    """Mamba-2: one decay a head, computed in chunks of 4."""
    config = Mamba2Config(
        vocab_size=64, hidden_size=16, state_size=8, num_hidden_layers=2, expand=2, num_heads=4, head_dim=8,
        n_groups=2, conv_kernel=4, chunk_size=4, use_cache=False,
    )  # fmt: skip
    return Family(Unmasked(shaken_scans(Mamba2Model(config)), use_cache=False), _ids(64, length))


def _ids(vocab: int, length: int) -> dict[str, np.ndarray]:
    return {"input_ids": np.random.default_rng(2).integers(FIRST_WORD, vocab, (SAMPLES, length))}


def shaken_scans(model: nn.Module, seed: int = 3) -> nn.Module:
    """``shaken``, but decays and step sizes spread as in a trained Mamba: Delta in 0.001 .. 0.1, A near -1 .. -N."""
    shaken(model)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.endswith("A_log"):
                rates = torch.arange(1, p.shape[-1] + 1, dtype=torch.float32)
                p.copy_(torch.log(rates) + 0.1 * torch.randn(p.shape, generator=generator))
            elif name.endswith((".D", "D")):
                p.copy_(1.0 + 0.2 * torch.randn(p.shape, generator=generator))
            elif name.endswith(("dt_proj.bias", "dt_bias")):
                step = torch.exp(torch.rand(p.shape, generator=generator) * math.log(100) + math.log(0.001))
                p.copy_(step + torch.log(-torch.expm1(-step)))  # the inverse of softplus
    return model
