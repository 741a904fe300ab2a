"""EmbBERT: rank-r embeddings, attention with keys and values unprojected, a causal depthwise convolution beside it."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from tests.zoo.families.wrap import shaken
from tests.zoo.family import Family, sentences

PAD, SEP = 0, 4
RANK = 16


class _RmsNorm(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.weight
        return out


class _Block(nn.Module):
    """X <- RMSNorm(X); X <- l1 * O1 - l2 * O2, without an identity residual."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.norm = _RmsNorm(width)
        self.query, self.out = nn.Linear(width, width), nn.Linear(width, width)
        self.conv = nn.Conv1d(width, width, kernel, groups=width, padding=kernel - 1)
        self.lin = nn.Linear(width, width)
        self.q1, self.k1, self.q2, self.k2 = (nn.Parameter(0.1 * torch.randn(width)) for _ in range(4))

    def forward(self, x: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
        x = self.norm(x)
        width, length = x.shape[-1], x.shape[1]
        scores = self.query(x) @ x.transpose(1, 2) / width**0.5
        p = torch.softmax(scores.masked_fill(~keys[:, None, :], float("-inf")), -1)
        p = torch.where(torch.isnan(p), torch.zeros_like(p), p)
        attended = self.out(p @ x)
        local = functional.silu(self.conv(x.transpose(1, 2))[..., :length].transpose(1, 2))
        l1, l2 = torch.exp((self.q1 * self.k1).sum()), torch.exp((self.q2 * self.k2).sum())
        out: torch.Tensor = l1 * attended - l2 * self.lin(local)
        return out


class _EmbBert(nn.Module):
    def __init__(self, vocab: int, width: int, length: int, blocks: int, kernel: int) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocab, RANK), nn.Embedding(length, RANK)
        self.from_token, self.from_position = (nn.Linear(RANK, width, bias=False) for _ in range(2))
        self.segments = nn.Embedding(3, width)
        self.blocks = nn.ModuleList(_Block(width, kernel) for _ in range(blocks))
        self.head = nn.Linear(width, 2)

    def run(self, ids: torch.Tensor, segments: torch.Tensor) -> torch.Tensor:
        places = torch.arange(ids.shape[1])[None]
        x = self.from_token(self.tokens(ids)) + self.from_position(self.positions(places)) + self.segments(segments)
        for block in self.blocks:
            x = block(x, ids != PAD)
        out: torch.Tensor = self.head(x[:, 0])
        return out


class _Given(_EmbBert):
    """The segment ids are an input."""

    def forward(self, input_ids: torch.Tensor, segment_ids: torch.Tensor) -> torch.Tensor:
        return self.run(input_ids, segment_ids)


class _Derived(_EmbBert):
    """The graph computes them: 0 at padding, 1 before the first separator, 2 from it on."""

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        after = (torch.cumsum((input_ids == SEP).to(torch.int64), 1) > 0).to(torch.int64)
        return self.run(input_ids, torch.where(input_ids == PAD, torch.zeros_like(after), after + 1))


def build(
    derived: bool = False, length: int = 16, vocab: int = 64, width: int = 32, kernel: int = 8, blocks: int = 2
) -> Family:
    """ids (and segment ids) -> [1, 2] logits."""
    model = (_Derived if derived else _Given)(vocab, width, length, blocks, kernel)
    shaken(model)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.rsplit(".", 1)[-1] in ("q1", "k1", "q2", "k2"):
                p.mul_(0.1)
    ids = sentences(vocab, length)["input_ids"]
    ids[np.arange(len(ids)), np.random.default_rng(3).integers(1, length - 1, len(ids))] = SEP
    segments = np.where(ids == PAD, 0, 1 + (np.cumsum(ids == SEP, 1) > 0))
    samples = {"input_ids": ids} if derived else {"input_ids": ids, "segment_ids": segments}
    return Family(model, samples)
