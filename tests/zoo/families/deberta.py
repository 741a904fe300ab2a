"""DeBERTa-v2: content attends to relative positions and they to it; the mask is also a factor of the embeddings."""

from transformers import DebertaV2Config, DebertaV2ForSequenceClassification

from tests.zoo.families.wrap import Masked, shaken
from tests.zoo.family import Family, sentences


def build(length: int = 12) -> Family:
    """ids, mask -> [1, 2] logits."""
    config = DebertaV2Config(
        vocab_size=100, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=32, relative_attention=True, position_buckets=8, pos_att_type=["p2c", "c2p"],
        norm_rel_ebd="layer_norm", share_att_key=True, position_biased_input=False, type_vocab_size=0,
    )  # fmt: skip
    return Family(Masked(shaken(DebertaV2ForSequenceClassification(config))), sentences(100, length))
