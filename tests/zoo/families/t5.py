"""A T5 encoder: RMSNorm, no scale on the scores, a learned bias by relative position added to them."""

from transformers import T5Config, T5EncoderModel

from tests.zoo.families.wrap import Masked, shaken
from tests.zoo.family import Family, sentences


def build(length: int = 8) -> Family:
    """ids, mask -> [1, L, 32] hidden states."""
    config = T5Config(
        vocab_size=64, d_model=32, d_kv=16, d_ff=64, num_layers=2, num_heads=2, relative_attention_num_buckets=8,
        relative_attention_max_distance=16, use_cache=False,
    )  # fmt: skip
    return Family(Masked(shaken(T5EncoderModel(config))), sentences(64, length))
