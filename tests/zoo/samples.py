"""Calibration samples: random sentences of every length up to L, padded, with two segments."""

import numpy as np

from tests.zoo.spec import CLS, FIRST_WORD, PAD, SEP, BuildSpec

SAMPLES = 32


def make_samples(spec: BuildSpec) -> dict[str, np.ndarray]:
    """Arrays [SAMPLES, L] int64 for each graph input of `spec`.

    Sample 0 is full, sample 1 the shortest that has words, the others are spread over all lengths. Words are
    drawn with a 1/rank law, as text has it. The padding id is in the tail even where no mask is an input.
    """
    rng = np.random.default_rng(spec.seed + 2)
    length, vocab = spec.sequence, spec.shape.vocab
    weights = 1.0 / np.arange(1, vocab - FIRST_WORD + 1)
    words = FIRST_WORD + rng.permutation(vocab - FIRST_WORD)
    ids = rng.choice(words, size=(SAMPLES, length), p=weights / weights.sum())
    used = rng.integers(min(4, length), length + 1, size=SAMPLES)
    used[0], used[1] = length, min(3, length)
    column = np.arange(length)
    first_end = used // 2
    ids[:, 0] = CLS
    ids = np.where((column == used[:, None] - 1) | (column == first_end[:, None]), SEP, ids)
    mask = column < used[:, None]
    types = (column > first_end[:, None]) & mask
    arrays = {
        "input_ids": np.where(mask, ids, PAD),
        "attention_mask": mask,
        "token_type_ids": types,
    }
    return {name: arrays[name].astype(np.int64) for name in spec.input_names}
