"""A small GPT-2: causal attention, pre-norm, gelu_new, tied decoder."""

from transformers import GPT2Config, GPT2LMHeadModel

from tests.zoo.families.wrap import Unmasked, shaken
from tests.zoo.family import Family, sentences


def build(length: int = 8) -> Family:
    """ids -> [1, L, vocab] logits."""
    config = GPT2Config(
        vocab_size=64, n_positions=length, n_embd=32, n_layer=2, n_head=2, use_cache=False, attn_implementation="eager"
    )
    return Family(Unmasked(shaken(GPT2LMHeadModel(config)), use_cache=False), sentences(64, length, mask=False))
