"""Imports point one way: cli -> driver -> (frontend, passes, ..) -> (quant, memory, targets) -> ir -> errors."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "compiler" / "emberc"

#: layers from the top; a part imports from itself and from the layers below, never sideways or up
LAYERS = (
    {"__main__"},
    {"cli"},
    {"__init__"},  # the public names
    {"driver"},
    # the driver's stages that need several of the parts below
    {"accuracy", "budget", "configure", "options", "measure", "fit", "golden", "regions", "bench", "support"},
    {"firmware"},
    {"frontend", "passes", "backend", "harness", "report"},
    {"quant", "memory", "targets"},
    {"ir"},
    {"errors"},
)
LEVEL = {name: i for i, layer in enumerate(LAYERS) for name in layer}


def parts() -> dict[str, list[Path]]:
    """Files by the part of the package that they belong to."""
    found: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        found.setdefault(path.relative_to(PACKAGE).parts[0].removesuffix(".py"), []).append(path)
    return found


def imported(source: str, where: str = "") -> Iterator[tuple[int, str]]:
    """Line and module of every import of emberc, also those inside functions; a relative one is refused."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{where}:{node.lineno}: relative import"
            module = node.module or ""
            names = [f"{module}.{a.name}" for a in node.names] if module == "emberc" else [module]
        elif isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        else:
            continue
        yield from ((node.lineno, name) for name in names if name.split(".")[0] == "emberc")


def part_of(module: str) -> str:
    """``emberc.ir.op`` -> ``ir``; a name of the package itself (``emberc.Op``) -> ``__init__``."""
    second = module.split(".")[1] if "." in module else "__init__"
    return second if second in LEVEL else "__init__"


def violations(part: str, source: str, where: str) -> list[str]:
    found = []
    for line, module in imported(source, where):
        other = part_of(module)
        if other != part and LEVEL[other] <= LEVEL[part]:
            found.append(f"{where}:{line}: {part} must not import {module}")
    return found


def test_every_part_has_a_layer() -> None:
    assert set(parts()) == set(LEVEL)


@pytest.mark.parametrize("part", sorted(parts()))
def test_imports_point_down(part: str) -> None:
    found = [
        v for path in parts()[part] for v in violations(part, path.read_text(), path.relative_to(PACKAGE).as_posix())
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "source",
    [
        "from emberc.driver import Options",
        "import emberc.backend.c",
        "def f():\n    from emberc.frontend import importer",
        "if True:\n    import emberc.cli.main as m",
        "from emberc import compile",
    ],
)
def test_an_import_that_points_up_or_sideways_is_seen(source: str) -> None:
    (problem,) = violations("passes", source, "x.py")
    assert "passes must not import emberc" in problem


def test_third_parties_stay_where_they_belong() -> None:
    """numpy is everywhere; ONNX only in front, lark only in the parser, the training stack nowhere."""
    allowed = {
        "onnx": {"support", "frontend", "driver", "accuracy", "__init__"},
        "onnxruntime": {"accuracy"},
        "torch": set(),
    }
    for part, files in parts().items():
        for path in files:
            for node in ast.walk(ast.parse(path.read_text())):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                names += [a.name for a in node.names] if isinstance(node, ast.Import) else []
                for name in names:
                    assert part in allowed.get(name.split(".")[0], {part}), f"{path.name}:{node.lineno}: {name}"
