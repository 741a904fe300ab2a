"""Text to ids: one id a word, from a vocabulary of the words that the training reviews use most."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

PAD, UNK, CLS, SEP, MASK = range(5)
SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|[0-9]+|[!?.,;:()]")


class Words:
    """Ids for text; ``words[i]`` is the text of id i, the five special ones first."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(words)
        self.ids = {word: number for number, word in enumerate(self.words)}

    @classmethod
    def learn(cls, texts: Iterable[str], size: int) -> "Words":
        """The ``size`` most frequent words, equally frequent ones in alphabetical order."""
        counts = Counter(word for text in texts for word in _WORD.findall(text.lower()))
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        if len(SPECIALS) + len(ranked) < size:
            raise ValueError(f"the texts have {len(ranked)} different words, {size} were asked for")
        return cls([*SPECIALS, *ranked[: size - len(SPECIALS)]])

    @classmethod
    def load(cls, path: Path) -> "Words":
        """Read a vocabulary file: one word a line, the line number is the id."""
        return cls(path.read_text(encoding="utf-8").splitlines())

    def save(self, path: Path) -> None:
        path.write_text("\n".join(self.words) + "\n", encoding="utf-8")

    def encode(self, text: str, length: int) -> tuple[list[int], list[int]]:
        """``length`` ids with their attention mask: [CLS] words [SEP] [PAD]...

        A longer text keeps its first quarter and its last three (Sun et al. 2019, "How to Fine-Tune BERT for Text
        Classification", section 5.3.1): a review's verdict is mostly at its end.
        """
        body = [self.ids.get(word, UNK) for word in _WORD.findall(text.lower())]
        room = length - 2
        if len(body) > room:
            head = room // 4
            body = body[:head] + body[head - room :]
        ids = [CLS, *body, SEP]
        padding = length - len(ids)
        return ids + [PAD] * padding, [1] * len(ids) + [0] * padding
