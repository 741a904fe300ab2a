"""The folder is written whole or not at all, and nobody's files are lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.support import Net, files_of
from emberc.backend.c import write_files
from emberc.errors import UsageError
from emberc.ir.ops.integer_table import Table
from emberc.ir.types import DType


def _files(name: str = "net") -> dict[str, str | bytes]:
    net = Net()
    net.out(Table, net.input("x", DType.I8, 3), net.weights(256))
    return files_of(net.module(name))


def _listed(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def _names(folder: Path) -> list[str]:
    return [p.name for p in folder.iterdir()]


def test_it_writes_all_files_into_new_folders(tmp_path: Path) -> None:
    files = _files() | {"report.json": b"{}"}
    write_files(files, tmp_path / "a" / "b")
    assert _listed(tmp_path / "a" / "b") == set(files) and _names(tmp_path / "a") == ["b"]
    assert (tmp_path / "a" / "b" / "net.c").read_text() == files["net.c"]


def test_a_new_build_replaces_the_old_and_keeps_what_the_user_added(tmp_path: Path) -> None:
    out = tmp_path / "build"
    write_files(_files("old") | {"report.json": "{}"}, out)
    (out / "main.c").write_text("int main(void);")
    (out / "obj").mkdir()
    (out / "obj" / "old.o").write_bytes(b"")
    write_files(_files("fresh"), out)
    assert _listed(out) == set(_files("fresh")) | {"main.c"}
    assert _names(tmp_path) == ["build"]


@pytest.mark.parametrize("content", [None, "", "{}", '{"files": 3}', "[]"])
def test_a_folder_that_is_no_build_is_left_alone(tmp_path: Path, content: str | None) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    before = _listed(tmp_path)
    with pytest.raises(UsageError, match="holds something that is not an emberc build"):
        write_files(_files(), tmp_path)
    assert _listed(tmp_path) == before


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "build").mkdir()
    write_files(_files(), tmp_path / "build")
    assert _listed(tmp_path / "build") == set(_files())


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "build").write_text("a file")
    with pytest.raises(UsageError, match="is a file, not a folder"):
        write_files(_files(), tmp_path / "build")
    with pytest.raises(UsageError, match=r"(?s)(not an emberc build|cannot).*build/inner"):
        write_files(_files(), tmp_path / "build" / "inner")
    assert (tmp_path / "build").read_text() == "a file"


def test_the_current_folder_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="current folder"):
        write_files(_files(), ".")


def test_an_error_half_way_leaves_the_old_build_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "build"
    write_files(_files("old"), out)
    before = _listed(out)
    write = Path.write_bytes

    def full(self: Path, data: Any) -> int:
        if self.name == "fresh.c":
            raise OSError(28, "No space left on device")
        return write(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UsageError, match="No space left on device"):
        write_files(_files("fresh"), out)
    assert _listed(out) == before and _names(tmp_path) == ["build"]


def test_an_error_in_the_swap_brings_the_old_build_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "build"
    write_files(_files("old"), out)
    before = _listed(out)
    rename = Path.rename

    def refused(self: Path, target: Any) -> Path:
        if "emberc-new" in self.name:
            raise PermissionError(13, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(UsageError, match="Permission denied"):
        write_files(_files("fresh"), out)
    assert _listed(out) == before and _names(tmp_path) == ["build"]


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    write_files(_files(), tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and _listed(tmp_path / "real") == set(_files())
