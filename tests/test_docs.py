"""The documents name files that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [p for p in ROOT.glob("**/README.md") if not {".venv", "build"} & set(p.relative_to(ROOT).parts)]
BASES = ["", "compiler/emberc", "runtime_c", "runtime_c/kernels/portable", "compiler/emberc/ir", "runtime_c/include"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_file_that_a_readme_names_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w./-]+/[\w.-]+\.(?:py|toml|c|h|lark|md))`", text))
    named |= {link for link in re.findall(r"\]\(([^)#:]+)\)", text) if not link.startswith("http")}
    bases = [document.parent, *(ROOT / b for b in BASES)]
    missing = [n for n in sorted(named) if not any((b / n).exists() for b in bases)]
    assert missing == []
