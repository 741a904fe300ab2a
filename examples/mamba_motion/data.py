"""The watch recordings, read from the installed package seglearn (BSD), cut into windows and split by person."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np

PACKAGE = "seglearn==1.2.5"
INSTALL = f"pip install --no-deps {PACKAGE}"
LABELS = ("PEN", "ABD", "FEL", "IR", "ER", "TRAP", "ROW")
CHANNELS = 6
LENGTH = 64  # samples in a window, 2.6 s at 25 Hz
HELD_OUT = (8, 9, 10)  # persons that training and calibration never see
_DECIMATION = 2  # recorded at 50 Hz
_TRAIN_HOP, _HELD_OUT_HOP = 16, 32
_CALIBRATION = 128
_UNITS = np.array([1, 1, 1, 2, 2, 2], np.float32)  # g, g, g, rad/s: after it all channels spread alike
_CLIP = 4.0


class DataMissingError(Exception):
    """The recordings are not on this machine; the text says how to get them."""


@dataclass(frozen=True)
class Windows:
    """``x`` float32 [n, 64, 6], ``y`` int64 [n]: indices into LABELS."""

    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class Split:
    """``held_out`` are other persons than ``train``; ``calibration`` is a sample of ``train``."""

    train: Windows
    calibration: Windows
    held_out: Windows


def split() -> Split:
    """The same parts every time. Raises DataMissingError when the package is not installed.

    Windows of one recording are alike, and so are recordings of one person: only whole persons held out show what
    the model makes of somebody new. The package is not imported, so that scikit-learn is not needed.
    """
    package = importlib.util.find_spec("seglearn")
    if package is None or not package.submodule_search_locations:
        raise DataMissingError(f"the recordings come with a package that is not installed; install it: {INSTALL}")
    path = Path(package.submodule_search_locations[0]) / "data" / "watch_dataset.npy"
    # The file is a pickled dict of arrays; it is as trusted as the package that pip installed.
    recorded = np.load(path, allow_pickle=True).item()
    held = np.isin(recorded["subject"], HELD_OUT)
    train = _windows(recorded, np.flatnonzero(~held), _TRAIN_HOP)
    some = np.linspace(0, len(train.y) - 1, _CALIBRATION).astype(int)
    calibration = Windows(train.x[some], train.y[some])
    return Split(train, calibration, _windows(recorded, np.flatnonzero(held), _HELD_OUT_HOP))


def _windows(recorded: dict[str, object], chosen: np.ndarray, hop: int) -> Windows:
    """Windows of the ``chosen`` recordings, one every ``hop`` samples of 25 Hz."""
    cut, labels = [], []
    for i in chosen:
        signal = _features(recorded["X"][i])
        for start in range(0, len(signal) - LENGTH + 1, hop):
            cut.append(signal[start : start + LENGTH])
            labels.append(int(recorded["y"][i]))
    return Windows(np.stack(cut), np.array(labels))


def _features(signal: np.ndarray) -> np.ndarray:
    """[n, 6] at 50 Hz --> float32 [n / 2, 6]: means of neighbours, scaled, the rare blow clipped."""
    even = signal[: len(signal) // _DECIMATION * _DECIMATION].reshape(-1, _DECIMATION, CHANNELS).mean(axis=1)
    return np.clip(even / _UNITS, -_CLIP, _CLIP).astype(np.float32)
