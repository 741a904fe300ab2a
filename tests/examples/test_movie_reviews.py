"""examples/movie_reviews: text to ids. Its model is trained by its script, too long for a test."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "movie_reviews"


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(EXAMPLE)
    return importlib.import_module("words")


def test_the_most_frequent_words_get_ids(words: ModuleType, tmp_path: Path) -> None:
    learnt = words.Words.learn(["A film, a great film!", "don't: a bad film"], 9)
    assert learnt.words == ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film", "!", ",")
    learnt.save(tmp_path / "words.txt")
    assert words.Words.load(tmp_path / "words.txt").ids == learnt.ids
    with pytest.raises(ValueError, match="different words, 99 were asked for"):
        words.Words.learn(["a b"], 99)


def test_short_texts_are_padded_and_long_ones_keep_both_ends(words: ModuleType) -> None:
    known = words.Words([*words.SPECIALS, *"abcdefghijklmnop"])
    ids, mask = known.encode("a b zebra", 8)
    assert ids == [words.CLS, 5, 6, words.UNK, words.SEP, 0, 0, 0] and mask == [1] * 5 + [0] * 3
    ids, mask = known.encode(" ".join("abcdefghijklmnop"), 10)
    assert [known.words[i] for i in ids] == ["[CLS]", "a", "b", *"klmnop", "[SEP]"] and mask == [1] * 10
    assert all(len(known.encode(text, 10)[0]) == 10 for text in ("", "a", "a " * 500))
