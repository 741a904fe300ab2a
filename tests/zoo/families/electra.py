"""ELECTRA: embeddings narrower than the encoder, a classifier with GELU, or a replaced-token discriminator."""

from transformers import ElectraConfig, ElectraForPreTraining, ElectraForSequenceClassification

from tests.zoo.families.wrap import Masked, shaken
from tests.zoo.family import Family, sentences


def build(discriminator: bool = False, length: int = 8) -> Family:
    """ids, mask -> [1, 2] class logits, or [1, L] one logit a token."""
    config = ElectraConfig(
        vocab_size=64, embedding_size=16, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=length, attn_implementation="eager",
    )  # fmt: skip
    model = ElectraForPreTraining(config) if discriminator else ElectraForSequenceClassification(config)
    return Family(Masked(shaken(model)), sentences(64, length))
