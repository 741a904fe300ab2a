"""Which kernel runs an op on a target, and which C files it brings into the build directory.

The seam for fast kernels: an emitter names the portable function; :func:`select_kernel` takes the variant of the most
specialised instruction set that has one for this op, with its own weight layout and scratch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from emberc.backend.c.registry import Emit, emitter_of
from emberc.backend.planning import own_scratch
from emberc.errors import UsageError
from emberc.ir.op import Op
from emberc.ir.types import Array
from emberc.targets import runtime_root

PORTABLE = "portable"


def as_is(weights: Array) -> Array:
    """The weight layout of the portable kernels: the IR's own."""
    return weights


@dataclass(frozen=True)
class Kernel:
    """A C function that runs an op.

    ``pack_weights`` turns the op's weights into the layout that the function reads; ``scratch_bytes`` says how much
    scratch it needs for a given op, ``in_place`` whether it may write over an operand where the op class allows that
    (what runs rows twice can't). ``emit`` builds the call where the function's parameters are not those of the portable
    kernel (biases inside the packed weights, tables in another order).
    """

    function: str
    source: Path
    pack_weights: Callable[[Array], Array] = as_is
    scratch_bytes: Callable[[Op], int] = own_scratch
    in_place: Callable[[Op], bool] = lambda op: True
    emit: Emit | None = None


@dataclass(frozen=True)
class Variant:
    """A kernel for one instruction set; ``accepts`` says whether it can run this op (sizes, value ranges).

    ``otherwise`` is asked next where it can't.
    """

    kernel: Kernel
    accepts: Callable[[Op], bool] = lambda op: True
    otherwise: Variant | None = None


VARIANTS: dict[tuple[str, str], Variant] = {}
"""(ISA feature, portable function) -> the function that stands in for it there."""


def select_kernel(op: Op, isa: Sequence[str]) -> Kernel:
    """The kernel for ``op`` on a target with the features ``isa``, most specialised last.

    Raises UnsupportedError for an op without emitter, UsageError if an emitter names a C file that does not exist.
    """
    entry = emitter_of(op)
    name = entry.kernel if isinstance(entry.kernel, str) else entry.kernel(op)
    for feature in reversed(isa):
        variant = VARIANTS.get((feature, name))
        while variant is not None:
            if variant.accepts(op):
                return variant.kernel
            variant = variant.otherwise
    return Kernel(name, entry.source) if entry.source else portable_kernel(name)


def portable_kernel(function: str) -> Kernel:
    """The runtime's portable kernel of that name."""
    return Kernel(function, runtime_root() / "kernels" / PORTABLE / f"{function}.c")


# --- files -----------------------------------------------------------------------------------------

_INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
_NAMED = re.compile(r"\b(ember_\w+)\b(?!\.h)")


@dataclass(frozen=True)
class KernelFiles:
    """What goes into the build directory: path there -> text, and the headers that declare the kernels."""

    sources: dict[str, str]
    headers: dict[str, str]
    declared_in: list[str]


def collect_files(kernels: Iterable[Kernel], extra_headers: Iterable[str] = ()) -> KernelFiles:
    """The kernels' sources, the sources of runtime functions that they name, and the headers all of them include.

    A header is looked up beside the file that includes it, in the runtime's ``include``, then beside the portable
    kernels, whose parts a fast kernel may share. A runtime function that a source names is found by its file name:
    one public function a file. Raises UsageError for a missing file or for two different files of one name.
    """
    include, portable = runtime_root() / "include", runtime_root() / "kernels" / PORTABLE
    sources: dict[str, Path] = {}
    headers: dict[str, Path] = {}
    declared: set[str] = set()

    def includes(path: Path) -> dict[str, Path]:
        """Every header that ``path`` includes, directly or not."""
        found: dict[str, Path] = {}
        waiting = [path]
        for file in waiting:
            for name in _INCLUDE.findall(_text(file)):
                header = _first_file(name, file.parent, include, portable, by=file.name)
                # What kernels share among themselves stays beside them; what others may include goes to include/.
                private = header.is_relative_to(runtime_root() / "kernels")
                _enter(headers, f"{'kernels' if private else 'include'}/{name}", header)
                if name not in found:
                    found[name] = header
                    waiting.append(header)
        return found

    waiting = [(k.function, k.source) for k in kernels]
    for function, path in waiting:
        if not _enter(sources, f"kernels/{path.name}", path):
            continue
        declaration = re.compile(rf"\b{function}\s*\(")
        found = includes(path).items()
        declared.update(n for n, header in found if not _is_private(header) and declaration.search(_code(header)))
        for named in dict.fromkeys(_NAMED.findall(_code(path))):
            sibling = next((d / f"{named}.c" for d in (path.parent, portable) if (d / f"{named}.c").is_file()), path)
            if sibling != path:
                waiting.append((named, sibling))
    for name in extra_headers:
        _enter(headers, f"include/{name}", _first_file(name, include, by="the generated code"))
        includes(include / name)
    return KernelFiles(_read(sources), _read(headers), sorted(declared))


def _is_private(header: Path) -> bool:
    """Whether only the runtime's kernels include it."""
    return header.is_relative_to(runtime_root() / "kernels")


def _first_file(name: str, *folders: Path, by: str) -> Path:
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise UsageError(f"'{name}' is included but does not exist", at=by)


def _enter(table: dict[str, Path], name: str, path: Path) -> bool:
    """Adds a file; False if it is there already."""
    known = table.get(name)
    if known is None:
        table[name] = path
    elif known.resolve() != path.resolve():
        raise UsageError(f"two different C files are called '{name}'", details=[str(known), str(path)],
                         hints=["give the file of the custom op a name of its own"])  # fmt: skip
    return known is None


def _read(table: dict[str, Path]) -> dict[str, str]:
    return {name: _text(table[name]) for name in sorted(table)}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"cannot read the C file '{path.name}': {error.strerror}", at=str(path),
            hints=["@emberc.emitter(..., source=Path(__file__).with_name('my_kernel.c')) names a file of your own"],
        ) from None  # fmt: skip


def _code(path: Path) -> str:
    """The file without its comments."""
    return _COMMENT.sub("", _text(path))
