"""Mamba-2 from transformers beyond the toy in ``mamba``: other groups, and a length that chunks do not divide."""

from transformers import Mamba2Config, Mamba2Model

from tests.zoo.families.mamba import shaken_scans
from tests.zoo.families.wrap import Unmasked
from tests.zoo.family import Family, sentences


def build(length: int = 8, groups: int = 2) -> Family:
    """ids -> [1, L, 16] in chunks of 4."""
    config = Mamba2Config(
        vocab_size=64, hidden_size=16, state_size=8, num_hidden_layers=2, expand=2, num_heads=4, head_dim=8,
        n_groups=groups, conv_kernel=4, chunk_size=4, use_cache=False,
    )  # fmt: skip
    return Family(Unmasked(shaken_scans(Mamba2Model(config)), use_cache=False), sentences(64, length, mask=False))
