"""Convolutional networks from their file to firmware: bit-exact, close to float, nothing left between the layers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import emberc
from emberc import harness
from emberc.memory import check_plan
from tests.e2e.journey import SANITIZERS, exact

SAMPLES = 32


class Image(nn.Module):
    """Every kind of layer that an image network has: strided, pointwise, dilated, grouped and depthwise convolutions,
    normalizations on both sides of them, pools with and without padding, a residual, two branches."""

    def __init__(self) -> None:
        super().__init__()
        stem = nn.Conv2d(3, 8, 3, 2, 1, bias=False)
        self.stem = nn.Sequential(nn.BatchNorm2d(3), stem, nn.BatchNorm2d(8), nn.ReLU6())
        depthwise = nn.Conv2d(8, 16, (3, 5), (2, 1), (1, 2), groups=8, bias=False)
        self.separable = nn.Sequential(depthwise, nn.BatchNorm2d(16), nn.Hardtanh(), nn.Conv2d(16, 16, 1))
        self.dilated = nn.Sequential(nn.BatchNorm2d(16), nn.Conv2d(16, 16, 3, 1, 2, dilation=2, groups=4), nn.GELU())
        self.norm = nn.InstanceNorm2d(16, affine=True)
        self.mean = nn.AvgPool2d(3, 2, 1, count_include_pad=False)
        self.head = nn.Linear(48, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.separable(self.stem(x))
        x = self.norm(x + self.dilated(x))
        most = torch.max_pool2d(x, 3, 2, 1)
        x = torch.cat([most, self.mean(x), nn.functional.avg_pool2d(x, 2, 2, 0, True, False)], 1)
        return self.head(x.mean((2, 3)))


class Signal(nn.Module):
    """A causal stack over time: padding on the left alone, reflected edges, strides, a transposed convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv1d(2, 8, 3, dilation=2), nn.Conv1d(8, 12, 4, stride=2)
        self.norm, self.up = nn.BatchNorm1d(12), nn.ConvTranspose1d(12, 4, 4, stride=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.tanh(self.first(nn.functional.pad(x, (4, 0))))
        x = torch.relu(self.norm(self.second(nn.functional.pad(x, (3, 3), mode="reflect"))))
        return self.up(x).amax(2)


def compiled(net: nn.Module, shape: tuple[int, ...], folder: Path) -> emberc.Firmware:
    """Firmware of a network with random weights and statistics, calibrated on random data."""
    generator = torch.Generator().manual_seed(1)
    for module in net.modules():
        for t in [*module.parameters(recurse=False), *module.buffers(recurse=False)] if "Norm" in str(module) else []:
            if t.is_floating_point():
                t.data.uniform_(0.5, 1.5, generator=generator)
    x = torch.randn(SAMPLES, *shape, generator=generator)
    path = folder / "net.onnx"
    torch.onnx.export(net.eval(), (x[:1],), path, dynamo=False, input_names=["x"], output_names=["y"])
    return emberc.compile(path, calibration={"x": x.numpy().astype(np.float32)}, target="host")


class Pooled(nn.Module):
    """The first layers of a LeNet: its pools need no memory beside what they read."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 8, 5, padding=2), nn.Conv2d(8, 4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.max_pool2d(torch.relu(self.first(x)), 2)
        return nn.functional.avg_pool2d(torch.tanh(self.second(x)), 2).flatten(1)


def test_pools_lie_over_what_they_read(tmp_path: Path) -> None:
    torch.manual_seed(0)
    firmware = compiled(Pooled(), (1, 14, 14), tmp_path)
    memory = firmware.plan.memory
    (first,) = [op for op in firmware.module.main.ops if op.opcode == "q.pool_max"]
    assert firmware.plan.place(first.x) == firmware.plan.place(first.y)
    assert memory.proved and firmware.plan.arena_bytes < first.x.type.nbytes + first.y.type.nbytes
    check_plan(memory.to_json())
    exact(harness.test_build(firmware.write(tmp_path / "build"), ["host"], extra_cflags=SANITIZERS))


@pytest.mark.parametrize(("name", "shape"), [("Image", (3, 22, 18)), ("Signal", (2, 21))])
def test_convolutional_network(name: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    torch.manual_seed(0)
    firmware = compiled({"Image": Image, "Signal": Signal}[name](), shape, tmp_path)
    exact(harness.test_build(firmware.write(tmp_path / "build"), ["host"]))
    assert firmware.report.integer_only
    assert firmware.report.accuracy["y"].sqnr_db >= 30
    kinds = [op.opcode for op in firmware.module.main.ops]
    assert {"Image": {"q.conv", "q.depthwise", "q.pool_max", "q.pool_mean"}, "Signal": {"q.conv"}}[name] <= set(kinds)
    assert "q.mul" not in kinds or name == "Image", "the gains of batch normalization are in the weights"
