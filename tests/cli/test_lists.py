"""`emberc targets`, `emberc passes` and `emberc report`: what is known, and what a build says about itself."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from emberc.ir.graph import Module
from emberc.memory import seal
from emberc.passes import PASSES, Pass, default_pipeline, parse_pipeline
from tests.cli.conftest import Emberc

BOARDS = ["host", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55", "rv32", "stm32h743"]


def test_targets_lists_every_board_with_its_memory(emberc_cli: Emberc) -> None:
    done = emberc_cli("targets")
    assert (done.code, done.err) == (0, "")
    assert [line.split()[0] for line in done.out.splitlines()[1:9]] == BOARDS
    assert re.search(r"^  cortex-m4 .*armv7em +4 MiB +4 MiB", done.out, re.MULTILINE)


def test_targets_json_is_for_scripts(emberc_cli: Emberc) -> None:
    targets = {t["name"]: t for t in json.loads(emberc_cli("targets", "--json").out)["targets"]}
    assert list(targets) == BOARDS
    assert targets["cortex-m7"]["flash_bytes"] == 4 << 20
    assert targets["host"]["flash_bytes"] is None


def test_targets_say_how_to_install_what_is_missing(emberc_cli: Emberc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    out = emberc_cli("targets").out
    assert "missing arm-none-eabi-gcc" in out
    assert re.search(r"apt-get install -y .*gcc-arm-none-eabi.*qemu-system-arm", out)


def test_passes_lists_each_with_its_summary_and_options(emberc_cli: Emberc) -> None:
    out = emberc_cli("passes").out
    listed = re.findall(r"^  ([a-z-]+)  +\S", out.partition("\ndefault pipeline")[0], re.MULTILINE)
    assert listed == sorted(PASSES)
    assert "observer=minmax  (str)" in out
    shown = out.partition("default pipeline")[2].replace(",", " ").split()
    assert shown == default_pipeline().names()


def test_every_pass_says_in_a_line_what_it_does(emberc_cli: Emberc) -> None:
    for listed in json.loads(emberc_cli("passes", "--json").out)["passes"]:
        assert len(listed["summary"]) > 20, listed["name"]


def test_a_pass_of_ones_own_is_listed_and_takes_its_options(emberc_cli: Emberc) -> None:
    @dataclass(frozen=True)
    class Mine(Pass):
        """Does what I want."""

        name: ClassVar[str] = "mine"
        depth: int = 3

        def run(self, module: Module) -> bool:
            return False

    try:
        out = emberc_cli("passes").out
        assert parse_pipeline("mine{depth=5}").passes == [Mine(depth=5)]
    finally:
        del PASSES["mine"]
    assert re.search(r"^  mine +Does what I want\.\n +depth=3  \(int\)$", out, re.MULTILINE)


def test_report_shows_what_compile_showed(emberc_cli: Emberc, small_build: Path) -> None:
    done = emberc_cli("report", small_build)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("model      small on host\nmemory     flash ")
    assert "accuracy   logits SQNR" in done.out


def test_report_json_is_the_file(emberc_cli: Emberc, small_build: Path) -> None:
    shown = json.loads(emberc_cli("report", small_build, "--json").out)
    assert shown == json.loads((small_build / "report.json").read_text())


def test_report_check_verifies_the_memory_plan(emberc_cli: Emberc, small_build: Path, tmp_path: Path) -> None:
    done = emberc_cli("report", small_build, "--check")
    assert done.code == 0
    assert done.out.splitlines()[-1].endswith("the plan is sound")

    certificate = json.loads((small_build / "memory_plan.json").read_text())
    plan = {k: v for k, v in certificate.items() if k not in ("model", "digest")}
    unsound = {**plan, "arena": plan["arena"] - 16}
    build = shutil.copytree(small_build, tmp_path / "build")
    for changed, reason in (
        ({**certificate, "arena": plan["arena"] - 16}, "it was changed after it was written"),
        (seal(plan, "0" * 64), "it is for another model: 000000000000..."),
        (seal(unsound, certificate["model"]), "outside the arena"),
    ):
        (build / "memory_plan.json").write_text(json.dumps(changed))
        spoilt = emberc_cli("report", build, "--check")
        assert spoilt.code == 1 and spoilt.out == ""
        assert "error[E-PLAN]" in spoilt.err and reason in spoilt.err


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("report.json", None, "is not a build directory: it has no report.json"),
        ("report.json", "{", "report.json is damaged"),
        ("report.json", "[]", "report.json is damaged: it holds no object"),
        ("report.json", '{"model": "m"}', "report.json is damaged: KeyError: 'target'"),
        ("memory_plan.json", None, "it has no memory_plan.json"),
        ("memory_plan.json", "{}", "not a memory plan"),
    ],
)
def test_report_of_a_damaged_build_says_which_file(
    emberc_cli: Emberc, small_build: Path, tmp_path: Path, name: str, content: str | None, message: str
) -> None:
    build = Path(shutil.copytree(small_build, tmp_path / "build"))
    (build / name).unlink()
    if content is not None:
        (build / name).write_text(content)
    done = emberc_cli("report", build, "--check")
    assert done.code in (1, 2)
    assert message in done.err
    assert "Traceback" not in done.err
