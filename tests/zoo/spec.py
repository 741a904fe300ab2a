"""What can be asked of the zoo: the table of configurations and the options of one build."""

from dataclasses import dataclass, fields
from typing import Literal, get_args

Exporter = Literal["dynamo", "ts"]
Head = Literal["cls", "mlm"]
Inputs = Literal["ids", "ids+mask", "ids+mask+types"]
Attention = Literal["eager", "sdpa"]
MaskForm = Literal["boolean", "additive"]
Form = Literal["plain", "external", "functions"]

PAD, UNK, CLS, SEP, MASK = 0, 1, 2, 3, 4
FIRST_WORD = 5

_CHOICES = {
    "exporter": Exporter,
    "head": Head,
    "inputs": Inputs,
    "attention": Attention,
    "mask_form": MaskForm,
    "form": Form,
}

INPUT_NAMES: dict[str, tuple[str, ...]] = {
    "ids": ("input_ids",),
    "ids+mask": ("input_ids", "attention_mask"),
    "ids+mask+types": ("input_ids", "attention_mask", "token_type_ids"),
}


@dataclass(frozen=True)
class BertShape:
    """Sizes of a BERT encoder; `positions` is the longest sequence, `length` the one exported by default."""

    vocab: int
    width: int
    layers: int
    heads: int
    ff: int
    act: str
    positions: int
    length: int


# bert_2mb and bert_tiny are the configurations of MODELS.md; the small one exports in about a second.
SHAPES: dict[str, BertShape] = {
    "bert_small_for_tests": BertShape(64, 16, 2, 2, 32, "gelu", 8, 8),
    "bert_2mb": BertShape(2048, 80, 2, 2, 160, "relu", 256, 128),
    "bert_tiny": BertShape(30522, 128, 2, 2, 512, "gelu", 512, 32),
}


@dataclass(frozen=True)
class BuildSpec:
    """Everything that decides the bytes of one exported model.

    `opset` None is the exporter's own default. `length` None is the configuration's. `dynamic` makes batch
    and sequence symbolic. `act` None is the configuration's, "gelu_new" the tanh form. `form` "external"
    writes weights beside the file, "functions" has LayerNorm and GELU as local functions (opset 18 and newer).
    `attention` "sdpa" goes through torch's scaled_dot_product_attention. `mask_form` "additive" is the mask
    arithmetic of older models, (1 - mask) * -10000, where transformers today makes a boolean mask.
    """

    name: str
    exporter: Exporter = "dynamo"
    opset: int | None = None
    dynamic: bool = False
    length: int | None = None
    head: Head = "cls"
    inputs: Inputs = "ids+mask"
    attention: Attention = "eager"
    mask_form: MaskForm = "boolean"
    form: Form = "plain"
    act: str | None = None
    layers: int | None = None
    labels: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what no exporter can write, naming the values that it can."""
        if self.name not in SHAPES:
            raise ValueError(f"no zoo model {self.name!r}: there are {', '.join(SHAPES)}")
        for option, allowed in _CHOICES.items():
            if getattr(self, option) not in get_args(allowed):
                raise ValueError(f"{option}={getattr(self, option)!r}: choose from {get_args(allowed)}")
        low, high = OPSETS[self.exporter]
        if self.opset is not None and not low <= self.opset <= high:
            raise ValueError(f"the {self.exporter} exporter writes opsets {low} to {high}, not {self.opset}")
        if self.form == "functions" and self.opset is not None and self.opset < 18:
            raise ValueError(f"form='functions' needs opset 18 or newer, not {self.opset}")
        if self.mask_form == "additive" and self.inputs == "ids":
            raise ValueError("mask_form='additive' needs attention_mask among the inputs")
        if self.sequence > self.shape.positions:
            raise ValueError(f"{self.name} has {self.shape.positions} positions, length is {self.sequence}")

    @property
    def shape(self) -> BertShape:
        return SHAPES[self.name]

    @property
    def sequence(self) -> int:
        return self.length if self.length is not None else self.shape.length

    @property
    def input_names(self) -> tuple[str, ...]:
        return INPUT_NAMES[self.inputs]

    def label(self) -> str:
        """A readable name: the model and every option that is not at its default."""
        changed = [f"{f.name}={getattr(self, f.name)}" for f in fields(self)[1:] if getattr(self, f.name) != f.default]
        return " ".join([self.name, *changed])


# torch 2.13: dynamo writes 18 and newer (older versions need a converter that has no LayerNormalization),
# TorchScript ends at 20. Both lower ends are where this project's support begins or the exporter's does.
OPSETS: dict[str, tuple[int, int]] = {"dynamo": (18, 23), "ts": (14, 20)}
