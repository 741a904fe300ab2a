"""One Mamba block whose selective scan is written in every way that torch's exporters keep: Scan, Loop, a tree."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn.functional import silu, softplus

from tests.zoo.family import SAMPLES, Family

FEATURES, WIDTH, STATE, RANK, TAPS = 5, 8, 3, 2, 4

#: decay and update [L, E, N], C [L, N] -> y [L, E]
ScanFunction = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def _unrolled(decay: torch.Tensor, update: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    h = torch.zeros_like(update[0])
    out = []
    for t in range(decay.shape[0]):
        h = decay[t] * h + update[t]
        out.append(h @ c[t])
    return torch.stack(out)


def _scan(decay: torch.Tensor, update: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    from torch._higher_order_ops.scan import scan

    def step(h: torch.Tensor, at: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, torch.Tensor]:
        decay, update, c = at
        h = decay * h + update
        return h, (h * c).sum(-1)

    _, y = scan(step, torch.zeros_like(update[0]), (decay, update, c))
    return y


def _while_loop(decay: torch.Tensor, update: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    from torch._higher_order_ops.while_loop import while_loop

    steps = decay.shape[0]

    def more(t: torch.Tensor, h: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return t < steps

    def step(t: torch.Tensor, h: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, ...]:
        at = t.reshape(1)
        h = decay.index_select(0, at)[0] * h + update.index_select(0, at)[0]
        row = (h * c.index_select(0, at)[0]).sum(-1)
        return t + 1, h, torch.where((torch.arange(steps) == t)[:, None], row[None], y)

    start = (torch.tensor(0), torch.zeros_like(update[0]), torch.zeros(steps, decay.shape[1]))
    return while_loop(more, step, start)[2]


def _associative(decay: torch.Tensor, update: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    from torch._higher_order_ops.associative_scan import associative_scan

    def combine(left: tuple[torch.Tensor, ...], right: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return left[0] * right[0], right[0] * left[1] + right[1]

    _, states = associative_scan(combine, (decay, update), dim=0, combine_mode="generic")
    return (states @ c[:, :, None])[..., 0]


@torch.jit.script
def _scripted(decay: torch.Tensor, update: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    h = torch.zeros_like(update[0])
    out: list[torch.Tensor] = []
    for t in range(decay.shape[0]):
        h = decay[t] * h + update[t]
        out.append((h * c[t]).sum(-1))
    return torch.stack(out)


FORMS: dict[str, ScanFunction] = {
    "unrolled": _unrolled,
    "scan": _scan,
    "while_loop": _while_loop,
    "associative": _associative,
    "scripted": _scripted,
}


class Block(nn.Module):
    """A Mamba block over features: in_proj, causal convolution, SiLU, selective scan, gate, out_proj."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.scan = FORMS[form]
        self.in_proj = nn.Linear(FEATURES, 2 * WIDTH)
        self.conv = nn.Conv1d(WIDTH, WIDTH, TAPS, groups=WIDTH, padding=TAPS - 1)
        self.x_proj = nn.Linear(WIDTH, RANK + 2 * STATE, bias=False)
        self.dt_proj = nn.Linear(RANK, WIDTH)
        self.a_log = nn.Parameter(torch.log(torch.arange(1, STATE + 1.0)) + 0.1 * torch.randn(WIDTH, STATE))
        self.skip = nn.Parameter(1 + 0.2 * torch.randn(WIDTH))
        self.out_proj = nn.Linear(WIDTH, FEATURES)
        for layer in (self.in_proj, self.x_proj, self.dt_proj, self.out_proj):
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5)  # torch's own start leaves a signal near 0

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """[1, L, FEATURES] -> the same."""
        x, z = self.in_proj(features).chunk(2, dim=-1)
        x = silu(self.conv(x.transpose(1, 2))[:, :, : features.shape[1]].transpose(1, 2))
        delta, b, c = self.x_proj(x).split([RANK, STATE, STATE], dim=-1)
        delta = softplus(self.dt_proj(delta))
        decay = torch.exp(delta[..., None] * -torch.exp(self.a_log))
        update = delta[..., None] * b[:, :, None] * x[..., None]
        y = self.scan(decay[0], update[0], c[0])[None] + self.skip * x
        out: torch.Tensor = self.out_proj(y * silu(z))
        return out


class Step(nn.Module):
    """One step of the block with its state in and out: convolution window [1, TAPS - 1, E], scan state [1, E, N]."""

    def __init__(self) -> None:
        super().__init__()
        self.block = Block("unrolled")

    def forward(
        self, features: torch.Tensor, window: torch.Tensor, state: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """features [1, FEATURES] -> the same, and the next states."""
        k = self.block
        x, z = k.in_proj(features).chunk(2, dim=-1)
        window = torch.cat([window, x[:, None]], 1)
        assert k.conv.bias is not None
        x = silu((window * k.conv.weight[:, 0].T).sum(1) + k.conv.bias)
        delta, b, c = k.x_proj(x).split([RANK, STATE, STATE], dim=-1)
        delta = softplus(k.dt_proj(delta))
        decay = torch.exp(delta[..., None] * -torch.exp(k.a_log))
        state = decay * state + delta[..., None] * b[:, None] * x[..., None]
        y = (state * c[:, None]).sum(-1) + k.skip * x
        return k.out_proj(y * silu(z)), window[:, 1:], state


def build(form: str = "unrolled", length: int = 7) -> Family:
    """features [1, L, FEATURES] -> the same; "step" is one step with explicit state."""
    torch.manual_seed(5)
    rng = np.random.default_rng(6)

    def numbers(*shape: int) -> np.ndarray:
        return rng.standard_normal((SAMPLES, *shape)).astype(np.float32)

    if form == "step":
        samples = {
            "features": numbers(FEATURES),
            "window": numbers(TAPS - 1, WIDTH),
            "state": numbers(WIDTH, STATE) / math.sqrt(STATE),
        }
        return Family(Step(), samples)
    return Family(Block(form), {"features": numbers(length, FEATURES)})
