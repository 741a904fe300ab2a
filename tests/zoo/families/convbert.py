"""ConvBERT: span-based dynamic convolution beside attention; feed-forward in groups."""

from transformers import ConvBertConfig, ConvBertForSequenceClassification

from tests.zoo.families.wrap import Masked, shaken
from tests.zoo.family import Family, sentences


def build(groups: int = 1, length: int = 8) -> Family:
    """ids, mask -> [1, 2] logits."""
    config = ConvBertConfig(
        vocab_size=64, embedding_size=16, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, head_ratio=2,
        conv_kernel_size=3, num_groups=groups, intermediate_size=64, max_position_embeddings=length,
    )  # fmt: skip
    return Family(Masked(shaken(ConvBertForSequenceClassification(config))), sentences(64, length))
