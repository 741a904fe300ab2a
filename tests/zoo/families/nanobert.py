"""NanoBERT: a BERT whose word table is factored, rank 16 (look-up, then a product without bias)."""

from torch import nn
from transformers import BertConfig, BertForSequenceClassification

from tests.zoo.families.wrap import Masked, shaken
from tests.zoo.family import Family, sentences


def build(published: bool = False) -> Family:
    """ids, mask -> [1, 2]; ``published`` is the 2 MB build: vocab 8192, d 90, FF 180, L 256."""
    vocab, width, length, rank = (8192, 90, 256, 16) if published else (64, 18, 8, 4)
    config = BertConfig(
        vocab_size=vocab, hidden_size=width, num_hidden_layers=2, num_attention_heads=2, intermediate_size=2 * width,
        max_position_embeddings=length, hidden_act="relu", attn_implementation="eager",
    )  # fmt: skip
    model = BertForSequenceClassification(config)
    model.bert.embeddings.word_embeddings = nn.Sequential(nn.Embedding(vocab, rank), nn.Linear(rank, width, bias=False))
    return Family(Masked(shaken(model)), sentences(vocab, length))
