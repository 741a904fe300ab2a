"""A small BERT in every form that exporters give it, on the host and on all boards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.journey import BOARDS, EVERYWHERE, SANITIZERS, compile_zoo, exact

FORMS = [
    {"exporter": "ts", "opset": 14},
    {"exporter": "ts", "opset": 17, "dynamic": True, "attention": "sdpa"},
    {"exporter": "ts", "opset": 20, "inputs": "ids+mask+types"},
    {"exporter": "ts", "opset": 17, "mask_form": "additive", "act": "gelu_new"},
    {"exporter": "dynamo", "opset": 18},
    {"exporter": "dynamo", "opset": 20, "dynamic": True},
    {"exporter": "dynamo", "opset": 23, "attention": "sdpa", "inputs": "ids"},
    {"exporter": "dynamo", "form": "external", "head": "mlm"},
    {"exporter": "dynamo", "opset": 18, "form": "functions"},
]


@pytest.mark.parametrize("form", FORMS, ids=lambda f: "-".join(map(str, f.values())))
def test_every_form_is_bit_exact_on_the_host(form: dict[str, object], tmp_path: Path) -> None:
    journey = compile_zoo("bert_small_for_tests", tmp_path, target="host", **form)
    exact(journey.run(["host"]))
    ops = journey.firmware.report.ops
    assert ops["q.attention"] == 2 and ops["q.embed"] == 1  # everything was fused, whatever the spelling
    assert not {"q.batch_matmul", "q.softmax", "q.transpose"} & ops.keys()


FAST_CORES = ["cortex-m4", *(pytest.param(t, marks=pytest.mark.slow) for t in ("cortex-m7", "cortex-m55", "rv32"))]


@pytest.mark.board
@pytest.mark.parametrize("target", FAST_CORES)
def test_all_boards_agree(target: str, tmp_path: Path) -> None:
    """A build for one core, with that core's kernels, gives the same bits on all others."""
    journey = compile_zoo("bert_small_for_tests", tmp_path, target=target, exporter="ts")
    runs = journey.run(EVERYWHERE)
    exact(runs)
    assert [r.on for r in runs] == EVERYWHERE
    assert all(r.instructions and r.stack_bytes for r in runs if r.on in BOARDS)


@pytest.mark.parametrize("head", ["cls", "mlm"])
def test_extreme_inputs_are_clean_under_sanitizers(head: str, tmp_path: Path) -> None:
    journey = compile_zoo("bert_small_for_tests", tmp_path, target="host", exporter="ts", head=head, extreme=True)
    exact(journey.run(["host"], extra_cflags=SANITIZERS))


def test_the_last_layer_computes_one_row(tmp_path: Path) -> None:
    classifier = compile_zoo("bert_small_for_tests", tmp_path / "a", target="host", exporter="ts").firmware
    language_model = compile_zoo(
        "bert_small_for_tests", tmp_path / "b", target="host", exporter="ts", head="mlm"
    ).firmware
    queries = [op.operands[0].shape[1] for op in classifier.module.main.ops if op.opcode == "q.attention"]
    assert queries == [8, 1]
    everywhere = [op.operands[0].shape[1] for op in language_model.module.main.ops if op.opcode == "q.attention"]
    assert everywhere == [8, 8]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    one = compile_zoo("bert_small_for_tests", tmp_path / "a", target="cortex-m4", exporter="ts").folder
    two = compile_zoo("bert_small_for_tests", tmp_path / "b", target="cortex-m4", exporter="ts").folder
    names = sorted(p.relative_to(one) for p in one.rglob("*") if p.is_file())
    assert names == sorted(p.relative_to(two) for p in two.rglob("*") if p.is_file())
    assert all((one / n).read_bytes() == (two / n).read_bytes() for n in names)
    assert not any(str(tmp_path).encode() in (one / n).read_bytes() for n in names)
