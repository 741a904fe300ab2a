"""Symbols that integer-only firmware without a heap may not link."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from emberc.harness.errors import BuildError
from emberc.harness.tools import run_tool
from emberc.targets import Target

_HEAP = r"_?(?:malloc|calloc|realloc|free|aligned_alloc|memalign|sbrk)(?:_r)?"
# Run-time ABI for the Arm Architecture (IHI 0043), tables 2 to 8: __aeabi_fadd, __aeabi_d2iz, __aeabi_i2f ...
_AEABI_FLOAT = r"__aeabi_(?:[fd]\w+|h2\w+|c[fd]\w+|u?[il]2[fd])"
# GCC internals, "Soft float library routines": __addsf3, __fixdfsi, __floatunsidf, __eqsf2, __powidf2 ...
_GCC_FLOAT = (
    r"__(?:add|sub|mul|div|neg|cmp|unord|eq|ne|lt|le|gt|ge|powi)[sdxth]f[23]?"
    r"|__(?:extend|trunc)[sdxth]f[sdxth]f2|__fix(?:uns)?[sdxth]f[sdt]i|__float(?:un)?[sdt]i[sdxth]f"
)
_LIBM_NAMES = (
    "acos|acosh|asin|asinh|atan|atan2|atanh|cbrt|ceil|copysign|cos|cosh|erf|erfc|exp|exp2|expm1|fabs|floor|fma|fmax"
    "|fmin|fmod|frexp|hypot|ldexp|lgamma|log|log10|log1p|log2|lrint|lround|modf|nearbyint|pow|remainder|rint|round"
    "|scalbn|sin|sinh|sqrt|tan|tanh|tgamma|trunc"
)
_LIBM = rf"(?:{_LIBM_NAMES})[fl]?"
_FORBIDDEN = re.compile(rf"(?:{_HEAP}|{_AEABI_FLOAT}|{_GCC_FLOAT}|{_LIBM})(?:@.*)?")


def forbidden_symbols(names: Iterable[str]) -> list[str]:
    """Those of ``names`` that belong to the heap, to soft floating point or to libm; sorted, each once."""
    return sorted({name for name in names if _FORBIDDEN.fullmatch(name)})


def check_objects(files: Sequence[Path], target: Target) -> dict[str, list[str]]:
    """Forbidden symbols that each object or image defines or asks for; files without any are left out."""
    found = {}
    for file in files:
        table = run_tool([*target.toolchain.nm, str(file)], what=f"reading symbols of {file.name}", target=target)
        names = forbidden_symbols(line.split()[-1] for line in table.splitlines() if line.strip())
        if names:
            found[file.name] = names
    return found


def symbols_error(found: dict[str, list[str]], target: Target) -> BuildError:
    """The error for what check_objects found."""
    return BuildError(
        "integer-only firmware without a heap may not link these: "
        + "; ".join(f"{file}: {', '.join(names)}" for file, names in found.items()),
        code="E-SYMBOLS",
        at=target.title,
        hints=["look for float, <math.h> or malloc in custom kernels"],
    )
