"""Train the Mamba on the watch recordings and export it: motion.onnx, about two minutes on one core.

Run it only to change the model: motion.onnx is in the repository.
"""

import argparse
import logging
import sys
import time
import warnings
from pathlib import Path

import data
import onnx
import torch
from model import MotionMamba
from torch import nn

HERE = Path(__file__).parent
EPOCHS = 7
BATCH = 64
PEAK_RATE = 1e-2
SMOOTHING = 0.05
DECAY = 0.05
TURN = 0.15  # spread of the random mixing of axes, for a watch is never worn twice alike


def train(model: nn.Module, windows: data.Windows) -> None:
    """AdamW, one warm-up and a linear fall to zero."""
    x, y = torch.tensor(windows.x), torch.tensor(windows.y)
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, weight_decay=DECAY)
    steps = EPOCHS * len(torch.arange(len(y)).split(BATCH))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, steps, pct_start=0.2)
    loss_of = nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
    started = time.monotonic()
    model.train()
    for epoch in range(EPOCHS):
        total = 0.0
        for chosen in torch.randperm(len(y)).split(BATCH):
            loss = loss_of(model(turned(x[chosen])), y[chosen])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += float(loss.detach()) * len(chosen)
        passed = time.monotonic() - started
        print(f"  epoch {epoch + 1:2}/{EPOCHS}  loss {total / len(y):.4f}  {passed:5.0f} s", file=sys.stderr)


def turned(x: torch.Tensor) -> torch.Tensor:
    """Each window with its axes mixed a little, acceleration and turning rate alike: [n, L, 6] -> [n, L, 6]."""
    mix = torch.eye(3) + TURN * torch.randn(len(x), 3, 3)
    return torch.cat([x[..., :3] @ mix, x[..., 3:] @ mix], dim=-1)


def accuracy(model: nn.Module, windows: data.Windows) -> float:
    """Share of right labels, in [0, 1]."""
    model.eval()
    with torch.no_grad():
        labels = model(torch.tensor(windows.x)).argmax(dim=1)
    return float((labels == torch.tensor(windows.y)).float().mean())


def export(model: nn.Module, path: Path) -> None:
    """The TorchScript exporter unrolls the loop over time: 25 nodes or so a step, which emberc rolls up again."""
    logging.disable(logging.WARNING)
    with warnings.catch_warnings(action="ignore"):
        torch.onnx.export(
            model.eval(),
            (torch.zeros(1, data.LENGTH, data.CHANNELS),),
            path,
            dynamo=False,
            input_names=["motion"],
            output_names=["logits"],
            opset_version=18,
        )
    logging.disable(logging.NOTSET)
    exported = onnx.load(path)
    for node in exported.graph.node:
        node.ClearField("doc_string")  # holds paths of this machine
    onnx.checker.check_model(exported, full_check=True)
    onnx.save(exported, path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE, help="folder for motion.onnx")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    try:
        split = data.split()
    except data.DataMissingError as missing:
        print(missing, file=sys.stderr)
        return 2
    torch.set_num_threads(1)  # also makes the sums, and so the weights, the same each time
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(arguments.seed)
    model = MotionMamba(data.CHANNELS, len(data.LABELS))
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(split.train.y):,} windows to train on")
    train(model, split.train)
    print(f"accuracy on held-out windows  {accuracy(model, split.held_out):.4f} of {len(split.held_out.y):,}")
    path = arguments.out / "motion.onnx"
    export(model, path)
    print(f"wrote {path}, {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
