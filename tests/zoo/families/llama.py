"""Llama-shaped: RoPE, RMSNorm, SwiGLU, grouped-query attention."""

from transformers import LlamaConfig, LlamaForCausalLM

from tests.zoo.families.wrap import Unmasked, shaken
from tests.zoo.family import Family, sentences


def build(length: int = 8) -> Family:
    """ids -> [1, L, vocab] logits."""
    config = LlamaConfig(
        vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=length, use_cache=False, attn_implementation="eager",
    )  # fmt: skip
    return Family(Unmasked(shaken(LlamaForCausalLM(config)), use_cache=False), sentences(64, length, mask=False))
