"""Train the demo model on the SMS messages and export it: vocab.txt and spam.onnx, about two minutes.

A BERT of the size that a 2 MB microcontroller takes: 2 layers, width 80, 2 heads, 160 ReLU units, 2,048 word
pieces, up to 128 of them in a message. Run it only to change the model: both files are in the repository.
"""

import argparse
import logging
import math
import random
import sys
import time
import warnings
from pathlib import Path

import data
import numpy as np
import onnx
import torch
from tokenizer import PAD, UNK, Tokenizer, learn
from torch import nn
from transformers import BertConfig, BertForSequenceClassification

HERE = Path(__file__).parent
LENGTH = 128
VOCABULARY = 2048
EPOCHS = 15
BATCH = 16
PEAK_RATE = 1e-3
BLANKED = 0.2  # share of the pieces hidden from the model in training, against learning messages by heart
SMOOTHING = 0.05
DECAY = 0.05


def new_model() -> BertForSequenceClassification:
    """BERT with a classification head over two labels; "eager" attention exports as plain matrix products."""
    return BertForSequenceClassification(
        BertConfig(
            vocab_size=VOCABULARY,
            hidden_size=80,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=160,
            hidden_act="relu",
            max_position_embeddings=LENGTH,
            type_vocab_size=1,
            pad_token_id=PAD,
            num_labels=len(data.LABELS),
            attn_implementation="eager",
        )
    )


def encode(tokenizer: Tokenizer, messages: tuple[data.Message, ...]) -> tuple[torch.Tensor, ...]:
    """Ids [n, 128], attention mask [n, 128] and labels [n], all int64."""
    pairs = [tokenizer.encode(message.text, LENGTH) for message in messages]
    ids, mask = (torch.tensor(column) for column in zip(*pairs, strict=True))
    return ids, mask, torch.tensor([message.label for message in messages])


def train(model: nn.Module, ids: torch.Tensor, mask: torch.Tensor, labels: torch.Tensor) -> None:
    """AdamW with one warm-up and a cosine down to zero; batches of messages of about the same length."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, weight_decay=DECAY)
    loss_of = nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
    steps = EPOCHS * math.ceil(len(ids) / BATCH)
    warm = steps // 10
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: (
            (step + 1) / warm if step < warm else 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))
        ),
    )
    used = mask.sum(dim=1)
    started = time.monotonic()
    model.train()
    for epoch in range(EPOCHS):
        total = 0.0
        # Noise on the lengths keeps the batches from being the same ones every time.
        order = torch.argsort(used + 12 * torch.rand(len(ids)))
        batches = list(order.split(BATCH))
        random.shuffle(batches)
        for chosen in batches:
            width = int(used[chosen].max())
            seen = ids[chosen, :width]
            words = (seen > UNK) & (torch.rand(seen.shape) < BLANKED)
            words[:, 0] = False
            logits = model(input_ids=seen.masked_fill(words, UNK), attention_mask=mask[chosen, :width]).logits
            loss = loss_of(logits, labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += float(loss.detach()) * len(chosen)
        passed = time.monotonic() - started
        print(f"  epoch {epoch + 1:2}/{EPOCHS}  loss {total / len(ids):.4f}  {passed:5.0f} s", file=sys.stderr)


def accuracy(model: nn.Module, ids: torch.Tensor, mask: torch.Tensor, labels: torch.Tensor) -> float:
    """Share of right labels, in [0, 1]."""
    model.eval()
    with torch.no_grad():
        answers = [
            model(input_ids=a, attention_mask=m).logits.argmax(dim=1)
            for a, m in zip(ids.split(64), mask.split(64), strict=True)
        ]
    return float((torch.cat(answers) == labels).float().mean())


class Logits(nn.Module):
    """The model as the firmware will call it: ids and mask in, two logits out."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.bert = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.bert(input_ids=input_ids, attention_mask=attention_mask).logits


def export(model: nn.Module, path: Path) -> None:
    """One file with its weights inside and without the exporter's notes, which hold paths of this machine."""
    example = (torch.zeros(1, LENGTH, dtype=torch.int64), torch.ones(1, LENGTH, dtype=torch.int64))
    logging.disable(logging.WARNING)  # the exporter's remarks are about its own insides
    with warnings.catch_warnings(action="ignore"):
        torch.onnx.export(
            Logits(model).eval(),
            example,
            path,
            dynamo=True,
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            opset_version=20,
            external_data=False,
            verbose=False,
        )
    logging.disable(logging.NOTSET)
    exported = onnx.load(path)
    exported.ClearField("metadata_props")
    exported.graph.ClearField("metadata_props")
    for part in (*exported.graph.node, *exported.graph.value_info, *exported.graph.input, *exported.graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    for weight in exported.graph.initializer:
        weight.ClearField("metadata_props")
        weight.ClearField("doc_string")
    onnx.checker.check_model(exported, full_check=True)
    onnx.save(exported, path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE, help="folder for vocab.txt and spam.onnx")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    try:
        split = data.split()
    except data.DataMissingError as missing:
        print(missing, file=sys.stderr)
        return 2
    torch.set_num_threads(1)  # also makes the sums, and so the weights, the same each time
    torch.use_deterministic_algorithms(True)
    random.seed(arguments.seed)
    np.random.seed(arguments.seed)
    torch.manual_seed(arguments.seed)
    tokenizer = learn((message.text for message in split.train), VOCABULARY)
    model = new_model()
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(split.train)} messages to train on")
    train(model, *encode(tokenizer, split.train))
    print(f"accuracy on calibration messages  {accuracy(model, *encode(tokenizer, split.calibration)):.4f}")
    print(f"accuracy on held-out messages     {accuracy(model, *encode(tokenizer, split.held_out)):.4f}")
    tokenizer.save(arguments.out / "vocab.txt")
    export(model, arguments.out / "spam.onnx")
    print(f"wrote {arguments.out / 'spam.onnx'}, {(arguments.out / 'spam.onnx').stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
