"""What the family builders share: tensors in, tensors out, and weights that mean something."""

from typing import Any

import torch
from torch import nn

from tests.zoo.shake import shake


class Masked(nn.Module):
    """A transformers model as a function of ids and mask; gives its logits, or its last hidden state."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """[1, L] int64 each."""
        out: Any = self.model(input_ids=input_ids, attention_mask=attention_mask)
        logits: torch.Tensor = out.logits if hasattr(out, "logits") else out.last_hidden_state
        return logits


class Unmasked(nn.Module):
    """The same without a mask."""

    def __init__(self, model: nn.Module, **options: Any) -> None:
        super().__init__()
        self.model = model
        self.options = options

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        """[1, L] int64."""
        out: Any = self.model(input_ids=input_ids, **self.options)
        logits: torch.Tensor = out.logits if hasattr(out, "logits") else out.last_hidden_state
        return logits


def shaken(model: nn.Module, seed: int = 1) -> nn.Module:
    """``shake``, and noise on every gain and bias that it does not know: no exporter may fold them away."""
    generator = torch.Generator().manual_seed(seed)
    shake(model, generator)
    known = {
        id(p)
        for m in model.modules()
        if isinstance(m, nn.LayerNorm | nn.Embedding | nn.Linear)
        for p in m.parameters(recurse=False)
    }
    with torch.no_grad():
        for name, p in model.named_parameters():
            if id(p) in known:
                continue
            if p.ndim > 1:
                p.copy_(torch.randn(p.shape, generator=generator) * (p.numel() / p.shape[0]) ** -0.5)
            else:
                p.copy_((1.0 if name.endswith("weight") else 0.0) + 0.2 * torch.randn(p.shape, generator=generator))
    return model.eval()
