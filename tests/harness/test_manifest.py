"""manifest.json, whole and damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emberc.errors import EXIT_USAGE, UsageError
from emberc.harness import load_manifest
from tests.harness.conftest import MakeBuild


def test_whole(make_build: MakeBuild) -> None:
    manifest = load_manifest(make_build(tables_bytes=40))
    assert manifest.model == "doubler"
    assert manifest.sources == ("doubler.c", "doubler_weights.c", "kernels/ember_scale_s8.c")
    assert manifest.constant_bytes == 256 + 40


def test_no_build_directory(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no manifest\.json") as caught:
        load_manifest(tmp_path / "nowhere")
    assert caught.value.exit_code == EXIT_USAGE
    assert caught.value.hints == [f"emberc compile MODEL -o {tmp_path / 'nowhere'}"]


DAMAGES = {
    "truncated": ('{"model": "spam"', "manifest.json is damaged: "),
    "not an object": ("[1, 2]", "'model' must be a string"),
    "absent": ({"entry": ...}, "'entry' must be a string"),
    "text for number": ({"arena_bytes": "100"}, "'arena_bytes' must be a number that is not negative"),
    "negative": ({"vectors": -1}, "'vectors' must be a number that is not negative"),
    "true for number": ({"vectors": True}, "'vectors' must be a number that is not negative"),
    "text for list": ({"sources": "doubler.c"}, "'sources' must be a list of strings"),
    "absent source": ({"sources": ["gone.c"]}, "the build directory lacks 'gone.c'"),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_damaged(case: str, make_build: MakeBuild) -> None:
    change, message = DAMAGES[case]
    path = make_build() / "manifest.json"
    if isinstance(change, str):
        path.write_text(change)
    else:
        data = {**json.loads(path.read_text()), **change}
        path.write_text(json.dumps({k: v for k, v in data.items() if v is not ...}))
    with pytest.raises(UsageError) as caught:
        load_manifest(path.parent)
    assert message in caught.value.message
    assert caught.value.at == str(path)
