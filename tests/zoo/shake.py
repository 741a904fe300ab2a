"""Weights that look trained enough: no constant an exporter could fold away, no flat attention."""

import torch
from torch import nn

# Logits of attention have a standard deviation of about gain(query) * gain(key) on normalised inputs:
# 1.5 * 1.5 gives softmax rows with a clear winner, where torch's initial 0.02 gives uniform ones.
_ATTENTION_GAIN = 1.5
_LINEAR_GAIN = 1.0


def shake(model: nn.Module, generator: torch.Generator) -> None:
    """Redraw every parameter of `model` in place: fan-in scaled linear layers, noisy norms and biases.

    Embeddings get 1/sqrt(width) so that a tied masked-LM decoder answers with logits of order one; the
    padding row, zero in a fresh `nn.Embedding`, gets noise like any other.
    """

    def noise(parameter: torch.Tensor, scale: float, centre: float = 0.0) -> None:
        parameter.copy_(centre + scale * torch.randn(parameter.shape, generator=generator))

    with torch.no_grad():
        for name, module in model.named_modules():
            if isinstance(module, nn.LayerNorm):
                noise(module.weight, 0.2, centre=1.0)
                noise(module.bias, 0.2)
            elif isinstance(module, nn.Embedding):
                noise(module.weight, module.embedding_dim**-0.5)
            elif isinstance(module, nn.Linear):
                gain = _ATTENTION_GAIN if name.endswith(("query", "key")) else _LINEAR_GAIN
                if not name.endswith("decoder"):  # tied to the word embedding, drawn there
                    noise(module.weight, gain * module.in_features**-0.5)
                if module.bias is not None:
                    noise(module.bias, 0.1)
