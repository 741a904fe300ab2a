"""BERT with a classification or masked-LM head, in the three input signatures that people export."""

import inspect

import torch
from torch import nn
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification

from tests.zoo.shake import shake
from tests.zoo.spec import PAD, BuildSpec


class _LogitsOnly(nn.Module):
    """A BERT as a function of its positional inputs: exporters want tensors in, tensors out."""

    def __init__(self, bert: nn.Module, spec: BuildSpec) -> None:
        super().__init__()
        self.bert = bert
        self.names = spec.input_names
        self.additive = spec.mask_form == "additive"

    def answer(self, *inputs: torch.Tensor) -> torch.Tensor:
        """[batch, L] int64 each -> [batch, labels], or [batch, L, vocab] for the masked-LM head."""
        arguments = dict(zip(self.names, inputs, strict=True))
        if self.additive:  # [batch, L] -> [batch, 1, 1, L], added to the attention logits as it is
            mask = arguments["attention_mask"][:, None, None, :].to(torch.float32)
            arguments["attention_mask"] = (1.0 - mask) * -10000.0
        logits: torch.Tensor = self.bert(**arguments).logits
        return logits


class _Ids(_LogitsOnly):
    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        return self.answer(input_ids)


class _IdsMask(_LogitsOnly):
    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.answer(input_ids, attention_mask)


class _IdsMaskTypes(_LogitsOnly):
    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> torch.Tensor:
        return self.answer(input_ids, attention_mask, token_type_ids)


_SIGNATURES = {"ids": _Ids, "ids+mask": _IdsMask, "ids+mask+types": _IdsMaskTypes}


def build_bert(spec: BuildSpec) -> nn.Module:
    """The torch module for `spec`, shaken and in eval mode; `forward` has one argument per graph input."""
    shape = spec.shape
    torch.manual_seed(spec.seed)
    config = BertConfig(
        vocab_size=shape.vocab,
        hidden_size=shape.width,
        num_hidden_layers=spec.layers if spec.layers is not None else shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.ff,
        hidden_act=spec.act if spec.act is not None else shape.act,
        max_position_embeddings=shape.positions,
        num_labels=spec.labels,
        pad_token_id=PAD,
        attn_implementation=spec.attention,
    )
    family = BertForSequenceClassification if spec.head == "cls" else BertForMaskedLM
    bert = family(config)
    shake(bert, torch.Generator().manual_seed(spec.seed + 1))
    module = _SIGNATURES[spec.inputs](bert, spec).eval()
    if tuple(inspect.signature(module.forward).parameters) != spec.input_names:
        raise AssertionError(f"signature of {type(module).__name__} does not name {spec.input_names}")
    return module
