"""Held-out SMS messages through the firmware on an emulated Cortex-M7.

Compiles spam.onnx, compares the float model with the firmware's integer reference on every held-out message,
then builds the C, runs a few of the messages on the emulated board and checks its answers bit for bit.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import data
import numpy as np
import onnxruntime
from tokenizer import Tokenizer

import emberc
from emberc.errors import EmberError
from emberc.harness import TestRun, test_build

HERE = Path(__file__).parent
MODEL = HERE / "spam.onnx"
VOCABULARY = HERE / "vocab.txt"
LENGTH = 128

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Verdicts:
    """Labels as indices into `data.LABELS`, int64 [n] each: the truth, the float model's, the firmware's."""

    truth: np.ndarray
    floating: np.ndarray
    firmware: np.ndarray

    def summary(self) -> str:
        """Accuracy of both and how often they agree, in per cent."""
        count = len(self.truth)
        equal = int((self.floating == self.firmware).sum())
        return "\n".join(
            [
                f"  float      {100 * np.mean(self.floating == self.truth):6.2f} % right   onnxruntime",
                f"  firmware   {100 * np.mean(self.firmware == self.truth):6.2f} % right   integers only; "
                f"{equal:,}/{count:,} labels as in float ({100 * equal / count:.2f} %)",
            ]
        )


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> Arrays:
    """The model's inputs for all texts: input_ids and attention_mask, int64 [n, 128]."""
    ids, mask = zip(*(tokenizer.encode(text, LENGTH) for text in texts), strict=True)
    return {"input_ids": np.array(ids), "attention_mask": np.array(mask)}


def rows(inputs: Arrays) -> list[Arrays]:
    """One dict of [1, 128] arrays for each message: model and firmware take one at a time."""
    count = len(inputs["input_ids"])
    return [{name: array[i : i + 1] for name, array in inputs.items()} for i in range(count)]


def float_logits(inputs: Arrays) -> np.ndarray:
    """What onnxruntime answers, float32 [n, 2]."""
    session = onnxruntime.InferenceSession(MODEL)
    return np.concatenate([session.run(["logits"], row)[0] for row in rows(inputs)])


def firmware_logits(firmware: "emberc.Firmware", inputs: Arrays) -> np.ndarray:
    """What the board will answer, from the integer reference, float32 [n, 2]."""
    return np.concatenate([firmware.run(row)["logits"] for row in watched(rows(inputs))])


def watched(samples: list[Arrays]) -> Iterator[Arrays]:
    """The samples one by one, with a counter on a terminal where there are many."""
    for done, sample in enumerate(samples):
        if len(samples) > 100 and sys.stderr.isatty():
            print(f"\r  {done + 1:,}/{len(samples):,}", end="\r", file=sys.stderr)
        yield sample


def table(texts: Sequence[str], truth: Sequence[str], logits: np.ndarray) -> str:
    """One line a message: verdict, whether it is right, how sure, and the beginning of the text."""
    lines = []
    for text, label, (ham, spam) in zip(texts, truth, logits, strict=True):
        verdict = data.LABELS[int(spam > ham)]
        mark = "" if not label else "ok   " if verdict == label else "WRONG"
        line = " ".join(text.split())
        short = line if len(line) <= 72 else line[:71] + "…"
        lines.append(f"  {verdict:4} {mark}  {spam - ham:+6.2f}  {short}")
    return "\n".join(lines)


def stage(name: str, words: str, seconds: float) -> None:
    """One line for each stage of the compilation."""
    print(f"  {name:10} {words:60} {seconds:5.1f} s")


def on_board(folder: Path, target: str) -> TestRun:
    """Build `folder` for `target`, run its golden vectors there; raises EmberError when that fails."""
    run = test_build(folder, [target], progress=lambda name, stage: print(f"  {name} {stage}", file=sys.stderr))[0]
    if run.error is not None:
        raise run.error
    return run


def choose(messages: Sequence[data.Message], count: int) -> list[int]:
    """Indices of the first `count` messages, half of them spam."""
    of_label = {label: [i for i, m in enumerate(messages) if m.label == label] for label in (0, 1)}
    return of_label[1][: count // 2] + of_label[0][: count - count // 2]


def demo(target: str, out: Path, own: Sequence[str], limit: int | None = None) -> int:
    """The whole demonstration; returns 0 when the board answers as the reference does, else 1.

    `own` texts take the place of the held-out messages on the board; `limit` messages are compared, None is all.
    """
    tokenizer = Tokenizer.load(VOCABULARY)
    split = data.split()
    out.mkdir(parents=True, exist_ok=True)
    calibration = out / "calib.npz"
    np.savez(calibration, **encode(tokenizer, [message.text for message in split.calibration]))

    if own:
        texts, labels = list(own), [""] * len(own)
    else:
        chosen = [split.held_out[i] for i in choose(split.held_out, 8)]
        texts, labels = [m.text for m in chosen], [data.LABELS[m.label] for m in chosen]
    shown = encode(tokenizer, texts)

    print(f"compile     {MODEL.name} for {target}, calibrated with {len(split.calibration)} messages")
    firmware = emberc.compile(MODEL, calibration=calibration, target=target, vectors=shown, progress=stage)
    firmware.write(out / "firmware")

    compared = split.held_out[:limit]
    held_out = encode(tokenizer, [message.text for message in compared])
    print(f"held out    {len(compared):,} messages that neither training nor calibration has seen")
    by_float, by_firmware = float_logits(held_out), firmware_logits(firmware, held_out)
    truth = np.array([message.label for message in compared])
    print(Verdicts(truth, by_float.argmax(axis=1), by_firmware.argmax(axis=1)).summary())

    print(f"on board    {len(texts)} messages on the emulated {target}")
    run = on_board(out / "firmware", target)
    print(table(texts, labels, firmware_logits(firmware, shown)))
    print(f"  {run.mismatches} mismatches in {run.vectors} vectors: the board's bits against the integer reference")
    print(f"memory      flash {_kb(run.flash_bytes)}   RAM {_kb(run.ram_bytes)}, stack {_kb(run.stack_bytes)} of it")
    print(f"speed       {_count(run.instructions)} instructions a message")
    return 0 if run.ok else 1


def _kb(size: int | None) -> str:
    return "unknown" if size is None else f"{size / 1000:.1f} kB"


def _count(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="*", help="messages of your own instead of held-out ones")
    parser.add_argument("--target", default="cortex-m7", help="an emulated target of `emberc targets`")
    parser.add_argument("--out", type=Path, default=HERE / "build", help="folder for what is written")
    parser.add_argument("--held-out", type=int, metavar="N", help="compare N held-out messages instead of all")
    arguments = parser.parse_args()
    try:
        return demo(arguments.target, arguments.out, arguments.texts, arguments.held_out)
    except data.DataMissingError as missing:
        print(f"error: {missing}", file=sys.stderr)
        return 2
    except EmberError as error:
        print(error, file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
