"""I-BERT: RoBERTa's shape, trained for integers; in float mode, or in integer mode with the ranges it has learned."""

import torch
from transformers import IBertConfig, IBertForSequenceClassification, IBertModel

from tests.zoo.families.wrap import Masked, Unmasked, shaken
from tests.zoo.family import Family, sentences

PAD, WORDS = 1, 50


def build(integer: bool = False, length: int = 12) -> Family:
    """ids, mask -> [1, 2] logits; ``integer``: ids -> [1, L, 32] hidden states, of floats that hold integers."""
    config = IBertConfig(
        vocab_size=WORDS, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=length + 2, quant_mode=integer, pad_token_id=PAD,
    )  # fmt: skip
    if not integer:
        return Family(Masked(shaken(IBertForSequenceClassification(config))), sentences(WORDS, length, pad=PAD))
    model = IBertModel(config, add_pooling_layer=False)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.02 * torch.randn_like(p))
        model.train()
        for _ in range(4):  # its activations learn their ranges
            model(torch.randint(2, WORDS, (4, length)))
    return Family(Unmasked(model.eval()), sentences(WORDS, length, mask=False))
