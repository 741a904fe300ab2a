"""Compile the Mamba for a Cortex-M4, compare float with firmware on held-out persons, run it step by step there.

    python examples/mamba_motion/evaluate.py

The firmware's answers come from the integer reference of the whole window, which the streaming build repeats bit for
bit at the window's last step.
"""

import argparse
import sys
from pathlib import Path

import data
import numpy as np
import onnxruntime

import emberc
from emberc.errors import EmberError
from emberc.harness import test_build

HERE = Path(__file__).parent
MODEL = HERE / "motion.onnx"


def samples(windows: np.ndarray) -> dict[str, np.ndarray]:
    """[n, 64, 6] --> the model's input by name, each sample a batch of one."""
    return {"motion": windows[:, None]}


def float_labels(windows: np.ndarray) -> np.ndarray:
    """The labels that onnxruntime gives, [n]."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(MODEL), options, providers=["CPUExecutionProvider"])
    return np.array([session.run(None, {"motion": x[None]})[0].argmax() for x in windows])


def firmware_labels(firmware: emberc.Firmware, windows: np.ndarray) -> np.ndarray:
    """The labels that the board will give, [n]."""
    return np.array([firmware.run({"motion": x[None]})["logits"].argmax() for x in windows])


def on_board(folder: Path, target: str) -> None:
    """Build `folder`, run its golden steps on the emulated core and print what they cost; raises EmberError."""
    run = test_build(folder, [target])[0]
    if run.error is not None:
        raise run.error
    print(f"on board   {run.mismatches} mismatches in {run.vectors} golden steps on {target}")
    if run.flash_bytes is not None and run.ram_bytes is not None:
        total = run.flash_bytes + run.ram_bytes
        print(f"           flash {run.flash_bytes:,}, RAM with stack {run.ram_bytes:,}, total {total:,} bytes")
    if run.instructions is not None:
        print(f"           {run.instructions:,} instructions a step")


def evaluate(split: data.Split, target: str, precision: str, out: Path) -> None:
    """Both builds of the model; raises EmberError where one can't be made or run."""
    calibration, held = samples(split.calibration.x), split.held_out
    whole = emberc.compile(MODEL, calibration=calibration, target=target, precision=precision)
    print(f"ops        {whole.report.ops}")
    expected, got = float_labels(held.x), firmware_labels(whole, held.x)
    equal = int((got == expected).sum())
    print(f"float      {100 * (expected == held.y).mean():.2f} % of {len(held.y):,} windows of new persons right")
    print(f"firmware   {100 * (got == held.y).mean():.2f} % right, {equal:,} labels as in float", end="")
    print(f" ({100 * equal / len(got):.2f} %)")
    print(f"streaming  one sample of {data.CHANNELS} channels a step")
    steps = emberc.compile(MODEL, calibration=calibration, target=target, precision=precision, streaming=True)
    on_board(steps.write(out), target)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", default="cortex-m4", help="an emulated target of `emberc targets`")
    parser.add_argument("--precision", choices=["int8", "int16"], default="int16", help="of the activations")
    parser.add_argument("--out", type=Path, default=HERE / "build", help="folder for the streaming firmware")
    options = parser.parse_args()
    try:
        evaluate(data.split(), options.target, options.precision, options.out)
    except data.DataMissingError as missing:
        print(f"error: {missing}", file=sys.stderr)
        return 2
    except EmberError as error:
        print(error.render(), file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
