"""RoBERTa: positions counted from the ids that are no padding (Equal, Not, CumSum)."""

from transformers import RobertaConfig, RobertaForSequenceClassification

from tests.zoo.families.wrap import Masked, shaken
from tests.zoo.family import Family, sentences


def build(length: int = 8) -> Family:
    """ids, mask -> [1, 2] logits; padding is id 1."""
    config = RobertaConfig(
        vocab_size=64, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=length + 2, type_vocab_size=1, pad_token_id=1, attn_implementation="eager",
    )  # fmt: skip
    return Family(Masked(shaken(RobertaForSequenceClassification(config))), sentences(64, length, pad=1))
