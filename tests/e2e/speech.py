"""Sound for the voice detector: synthesised speech, noise and silence, at 16 kHz.

Speech is a glottal pulse train with a wandering pitch through three resonances that move from vowel to vowel, in
syllables with pauses and bursts of noise between them; a trained voice detector takes it for speech.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE = 16000
Sound = NDArray[np.float32]

#: first three formants of vowels, Hz (Peterson and Barney, 1952, men)
VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410))


def resonance(x: NDArray[np.float64], frequency: float, width: float) -> NDArray[np.float64]:
    """x through a two-pole filter."""
    radius = np.exp(-np.pi * width / RATE)
    a1, a2 = 2 * radius * np.cos(2 * np.pi * frequency / RATE), -radius * radius
    y = np.zeros(len(x) + 2)
    for n, v in enumerate(x):
        y[n + 2] = (1 - radius) * v + a1 * y[n + 1] + a2 * y[n]
    return y[2:]


def syllable(rng: np.random.Generator, pitch: float) -> NDArray[np.float64]:
    """A burst of noise, then a vowel of about 200 ms."""
    length = int(rng.uniform(0.12, 0.3) * RATE)
    glide = pitch * (1 + 0.15 * np.sin(np.linspace(0, rng.uniform(1, 4), length)))
    phase = np.cumsum(glide / RATE)
    pulses = np.diff(np.floor(phase), prepend=0.0) + 0.02 * rng.normal(size=length)
    voice = sum(
        resonance(pulses, f * rng.uniform(0.95, 1.05), 60 + 0.04 * f) for f in VOWELS[rng.integers(len(VOWELS))]
    )
    envelope = np.sin(np.linspace(0, np.pi, length)) ** 0.5
    burst = np.diff(rng.normal(0, 0.02, int(rng.uniform(0.02, 0.07) * RATE)))
    voiced = np.asarray(voice) * envelope
    return np.concatenate([burst, voiced / np.abs(voiced).max() * rng.uniform(0.1, 0.5)])


def speech(seconds: float, seed: int) -> Sound:
    """Words of two to five syllables with pauses between them, over a little noise."""
    rng = np.random.default_rng(seed)
    pitch, parts, length = rng.uniform(90, 230), [], 0
    while length < seconds * RATE:
        word = [syllable(rng, pitch * rng.uniform(0.9, 1.1)) for _ in range(rng.integers(2, 6))]
        word.append(np.zeros(int(rng.uniform(0.05, 0.6) * RATE)))
        parts += word
        length += sum(map(len, word))
    y = np.concatenate(parts)[: int(seconds * RATE)]
    return (y + rng.normal(0, 1e-3, len(y))).astype(np.float32)


def noise(seconds: float, seed: int) -> Sound:
    """White, then low-pass noise at three levels, a hum, and silence."""
    rng = np.random.default_rng(seed)
    n = int(seconds * RATE / 5)
    white = rng.normal(0, 1, (4, n))
    low = np.array([np.convolve(w, np.ones(8) / 8, mode="same") for w in white[2:]])
    hum = 0.1 * np.sin(2 * np.pi * 100 * np.arange(n) / RATE)
    parts = [0.05 * white[0], 0.003 * white[1], 0.1 * low[0] + hum, 0.01 * low[1], np.zeros(n)]
    return np.concatenate(parts).astype(np.float32)


def frames(sound: Sound, size: int = 512, before: int = 64) -> Sound:
    """[count, before + size]: frames in turn, each with the end of the one before it in front."""
    count = len(sound) // size
    padded = np.concatenate([np.zeros(before, np.float32), sound])
    return np.stack([padded[k * size : k * size + before + size] for k in range(count)])
