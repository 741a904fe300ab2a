"""A word-piece tokenizer in plain Python: the vocabulary file is all that it needs.

Text is normalised (HTML entities, NFKC, lower case, every digit a 0), cut into runs of letters, digits or
other signs, and each run is cut greedily into the longest pieces of the vocabulary. A space shows as "▁" at
the start of the piece after it, so that joining pieces gives the normalised text back.

The vocabulary is learnt by byte-pair merges (Sennrich et al. 2016, "Neural Machine Translation of Rare Words
with Subword Units", section 3.2) on characters.
"""

import html
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

PAD, UNK, CLS, SEP, MASK = range(5)
SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
SPACE = "▁"

# Runs that a piece never crosses; digits come in threes at most, so that any long number is a few pieces.
_RUN = re.compile(rf"{SPACE}?(?:[^\W\d_]+|0{{1,3}}|[^\w\s{SPACE}]+|_+)|{SPACE}")


def normalise(text: str) -> str:
    """The text as the model sees it: one case, one space between words, digits without their value.

    Digits lose their value on purpose: that a message holds an eleven-digit number tells spam, which number it
    is does not, and nobody's telephone number ends up in the vocabulary.
    """
    plain = unicodedata.normalize("NFKC", html.unescape(text)).lower().replace(SPACE, "_")
    return " ".join(re.sub(r"\d", "0", plain).split())


def runs(text: str) -> list[str]:
    """The normalised text as runs, a leading space as "▁": "call 08 now" -> ["▁call", "▁00", "▁now"]."""
    marked = SPACE + normalise(text).replace(" ", SPACE)
    return _RUN.findall(marked)


class Tokenizer:
    """Ids for text and text for ids; `pieces[i]` is the text of id i, the five special ones first."""

    def __init__(self, pieces: Iterable[str]) -> None:
        self.pieces = tuple(pieces)
        if self.pieces[: len(SPECIALS)] != SPECIALS or len(set(self.pieces)) != len(self.pieces):
            raise ValueError(f"a vocabulary starts with {' '.join(SPECIALS)} and names each piece once")
        self.ids = {piece: number for number, piece in enumerate(self.pieces)}
        self._longest = max(len(piece) for piece in self.pieces[len(SPECIALS) :])

    @classmethod
    def load(cls, path: Path) -> "Tokenizer":
        """Read a vocabulary file: one piece a line, the line number is the id."""
        return cls(path.read_text(encoding="utf-8").splitlines())

    def save(self, path: Path) -> None:
        path.write_text("\n".join(self.pieces) + "\n", encoding="utf-8")

    def encode(self, text: str, length: int) -> tuple[list[int], list[int]]:
        """`length` ids with their attention mask: [CLS] pieces [SEP] [PAD]..., cut where the text is longer."""
        body = [piece for run in runs(text) for piece in self._cut(run)][: length - 2]
        ids = [CLS, *body, SEP]
        padding = length - len(ids)
        return ids + [PAD] * padding, [1] * len(ids) + [0] * padding

    def decode(self, ids: Iterable[int]) -> str:
        """The normalised text of `ids`; [CLS], [SEP] and [PAD] leave no trace."""
        silent = (PAD, CLS, SEP)
        return "".join(self.pieces[i] for i in ids if i not in silent).replace(SPACE, " ").strip()

    def _cut(self, run: str) -> list[int]:
        """Longest pieces first, from the left; a character outside the vocabulary is one [UNK]."""
        found = []
        start = 0
        while start < len(run):
            for end in range(min(len(run), start + self._longest), start, -1):
                piece = self.ids.get(run[start:end])
                if piece is not None:
                    break
            else:
                piece, end = UNK, start + 1
            found.append(piece)
            start = end
        return found


def learn(texts: Iterable[str], size: int) -> Tokenizer:
    """A vocabulary of `size` pieces: characters seen twice, then the most frequent merge, again and again.

    Ties go to the pair that sorts first, so the same texts always give the same vocabulary.
    """
    words = Counter(run for text in texts for run in runs(text))
    letters = Counter[str]()
    for word, times in words.items():
        for letter in word:
            letters[letter] += times
    pieces = [*SPECIALS, *sorted(letter for letter, times in letters.items() if times >= 2)]
    known = set(pieces)
    cut = {word: tuple(word) for word in words}
    pairs = Counter[tuple[str, str]]()
    where: defaultdict[tuple[str, str], set[str]] = defaultdict(set)

    # Counts are kept up to date merge by merge: recounting every time takes a minute instead of a second.
    def tally(word: str, sign: int) -> None:
        for pair in pairwise(cut[word]):
            pairs[pair] += sign * words[word]
            where[pair].add(word)

    for word in words:
        tally(word, +1)
    while len(pieces) < size:
        most = max(pairs.values(), default=0)
        if most < 1:
            raise ValueError(f"the texts give {len(pieces)} pieces, {size} were asked for")
        best = min(pair for pair, times in pairs.items() if times == most)
        if (merged := "".join(best)) not in known:
            pieces.append(merged)
            known.add(merged)
        for word in where.pop(best):
            tally(word, -1)
            cut[word] = _merge(cut[word], best)
            tally(word, +1)
        del pairs[best]
    return Tokenizer(pieces)


def _merge(parts: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    """("l", "o", "w"), ("l", "o") -> ("lo", "w")"""
    merged: list[str] = []
    for part in parts:
        if merged and (merged[-1], part) == pair:
            merged[-1] += part
        else:
            merged.append(part)
    return tuple(merged)
