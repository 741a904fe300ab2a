"""A small Mamba in plain torch, as transformers writes it.

Source: Gu and Dao, 2023, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces", section 3.
"""

import math

import torch
from torch import nn
from torch.nn import functional


class RMSNorm(nn.Module):
    """x / rms(x) * weight over the last axis."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * self.weight


class Mixer(nn.Module):
    """One selective scan: [B, L, width] -> [B, L, width]."""

    def __init__(self, width: int, inner: int, state: int, rank: int = 4, taps: int = 4) -> None:
        super().__init__()
        self.inner, self.state, self.rank = inner, state, rank
        self.in_proj = nn.Linear(width, 2 * inner, bias=False)
        self.conv = nn.Conv1d(inner, inner, taps, groups=inner, padding=taps - 1)
        self.x_proj = nn.Linear(inner, rank + 2 * state, bias=False)
        self.dt_proj = nn.Linear(rank, inner)
        self.A_log = nn.Parameter(torch.arange(1, state + 1, dtype=torch.float32).log().repeat(inner, 1))
        self.D = nn.Parameter(torch.ones(inner))
        self.out_proj = nn.Linear(inner, width, bias=False)
        # Steps start between 0.001 and 0.1, the bias being the inverse of softplus, as in the paper.
        step = torch.exp(torch.rand(inner) * math.log(100) + math.log(0.001))
        with torch.no_grad():
            self.dt_proj.bias.copy_(step + torch.log(-torch.expm1(-step)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        length = x.shape[1]
        u, gate = self.in_proj(x).transpose(1, 2).chunk(2, dim=1)  # [B, inner, L] each
        u = functional.silu(self.conv(u)[..., :length])
        parameters = self.x_proj(u.transpose(1, 2))
        step, b, c = torch.split(parameters, [self.rank, self.state, self.state], dim=-1)
        step = functional.softplus(self.dt_proj(step)).transpose(1, 2)
        a = -torch.exp(self.A_log)
        decay = torch.exp(a[None, :, None, :] * step[..., None])  # [B, inner, L, state]
        update = step[..., None] * b[:, None] * u[..., None]
        h = torch.zeros(x.shape[0], self.inner, self.state)
        rows = []
        # (unbind, not an index a step: its gradient is one stack, theirs a tensor full of zeros each)
        for keep, add, read in zip(decay.unbind(2), update.unbind(2), c.unbind(1), strict=True):
            h = keep * h + add
            rows.append(torch.matmul(h, read[..., None])[..., 0])
        y = torch.stack(rows, dim=-1) + u * self.D[None, :, None]
        return self.out_proj((y * functional.silu(gate)).transpose(1, 2))


class MotionMamba(nn.Module):
    """Six sensor channels to logits: [B, L, 6] -> [B, labels]; the head takes the mean over time."""

    def __init__(self, channels: int, labels: int, width: int = 24, state: int = 8, layers: int = 2) -> None:
        super().__init__()
        self.embed = nn.Linear(channels, width)
        self.norms = nn.ModuleList(RMSNorm(width) for _ in range(layers))
        self.mixers = nn.ModuleList(Mixer(width, 2 * width, state) for _ in range(layers))
        self.last = RMSNorm(width)
        self.head = nn.Linear(width, labels)

    def forward(self, motion: torch.Tensor) -> torch.Tensor:
        x = self.embed(motion)
        for norm, mixer in zip(self.norms, self.mixers, strict=True):
            x = x + mixer(norm(x))
        logits: torch.Tensor = self.head(self.last(x).mean(dim=1))
        return logits
