"""Compile the trained model into 2 MiB and compare float with firmware on the held-out reviews.

    python examples/movie_reviews/evaluate.py                      # 2,048 reviews, about five minutes on one core
    python examples/movie_reviews/evaluate.py --on host,cortex-m7  # and eight of them on the emulated board

The firmware's answers come from the integer reference, which the emulated board repeats bit for bit.
"""

import argparse
import sys
from pathlib import Path

import data
import numpy as np
import onnxruntime
from train import BUILD, LENGTH
from words import Words

import emberc
from emberc.errors import EmberError
from emberc.harness import test_build
from emberc.report import render

BOARD_REVIEWS = 8


def encode(words: Words, reviews: tuple[data.Review, ...]) -> dict[str, np.ndarray]:
    """Ids and attention mask, int64 [n, 128] each, by the names of the model's inputs."""
    pairs = [words.encode(review.text, LENGTH) for review in reviews]
    ids, mask = (np.array(column) for column in zip(*pairs, strict=True))
    return {"input_ids": ids, "attention_mask": mask}


def float_labels(model: Path, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """The labels that onnxruntime gives, [n]."""
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    count = len(arrays["input_ids"])
    logits = [session.run(None, {k: a[i : i + 1] for k, a in arrays.items()})[0] for i in range(count)]
    return np.concatenate(logits).argmax(axis=1)


def firmware_labels(firmware: emberc.Firmware, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """The labels that the board will give, [n]."""
    count = len(arrays["input_ids"])
    logits = [firmware.run({k: a[i : i + 1] for k, a in arrays.items()})["logits"] for i in range(count)]
    return np.concatenate(logits).argmax(axis=1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=BUILD, help="folder with words.txt and reviews.onnx")
    parser.add_argument("--budget", type=int, default=2 * 1024 * 1024, help="bytes of flash and RAM together")
    parser.add_argument("--plan", type=Path, help="a fit_plan.json, to squeeze as it says")
    parser.add_argument("--reviews", type=int, default=2048, help="how many held-out reviews")
    parser.add_argument("--on", default="", help="also run eight of them there: host,cortex-m7")
    options = parser.parse_args()
    model = options.build / "reviews.onnx"
    try:
        split = data.split()
        words = Words.load(options.build / "words.txt")
    except (data.DataMissingError, FileNotFoundError) as missing:
        print(f"{missing}\nfirst: python examples/movie_reviews/train.py", file=sys.stderr)
        return 2
    held = split.held_out[: options.reviews]
    arrays, labels = encode(words, held), np.array([review.label for review in held])
    try:
        firmware = emberc.compile(
            model,
            calibration=encode(words, split.calibration),
            target="cortex-m7",
            budget=options.budget,
            fit=options.plan is None,
            fit_plan=options.plan,
            vectors={name: array[:BOARD_REVIEWS, None] for name, array in arrays.items()},
        )
        print(render(firmware.report))
        folder = firmware.write(options.build / "firmware")
        expected, got = float_labels(model, arrays), firmware_labels(firmware, arrays)
        print(f"float      {100 * (expected == labels).mean():.2f} % of {len(held):,} held-out reviews right")
        print(f"firmware   {100 * (got == labels).mean():.2f} % right, {(got == expected).sum():,} labels as in float")
        for run in test_build(folder, options.on.split(",")) if options.on else []:
            verdict = run.error.message if run.error else f"{run.mismatches} mismatches in {run.vectors} vectors"
            print(f"{run.on:11}{verdict}" + (f", {run.instructions:,} instructions" if run.instructions else ""))
    except EmberError as error:
        print(error.render(), file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
