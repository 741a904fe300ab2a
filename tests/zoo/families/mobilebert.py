"""MobileBERT: trigram input, bottlenecks, stacked feed-forward parts, NoNorm or LayerNorm."""

from transformers import MobileBertConfig, MobileBertForSequenceClassification

from tests.zoo.families.wrap import Masked, shaken
from tests.zoo.family import Family, sentences


def build(norm: str = "no_norm", length: int = 8, published: bool = False) -> Family:
    """ids, mask -> [1, 2] logits; ``published`` is the real size: 24 layers, 24.6 million parameters."""
    if published:
        config = MobileBertConfig(attn_implementation="eager")
    else:
        config = MobileBertConfig(
            vocab_size=64, hidden_size=32, embedding_size=16, intra_bottleneck_size=16, num_hidden_layers=2,
            num_attention_heads=2, intermediate_size=32, num_feedforward_networks=2, max_position_embeddings=length,
            normalization_type=norm, attn_implementation="eager",
        )  # fmt: skip
    return Family(Masked(shaken(MobileBertForSequenceClassification(config))), sentences(config.vocab_size, length))
