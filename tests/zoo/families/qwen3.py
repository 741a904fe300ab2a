"""Qwen3: grouped queries, each head of queries and keys normalised before it is rotated."""

from transformers import Qwen3Config, Qwen3ForCausalLM

from tests.zoo.families.wrap import Unmasked, shaken
from tests.zoo.family import Family, sentences


def build(length: int = 12) -> Family:
    """ids -> [1, L, vocab] logits."""
    config = Qwen3Config(
        vocab_size=100, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=16, max_position_embeddings=length, use_cache=False,
    )  # fmt: skip
    return Family(Unmasked(shaken(Qwen3ForCausalLM(config)), use_cache=False), sentences(100, length, mask=False))
