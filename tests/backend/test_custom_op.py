"""An op from outside the package: its class, emitter, C file and header end up in the build."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.custom import Negate
from backend.support import Net, compile_and_run, files_of, write
from emberc.backend.c import VARIANTS, Kernel, Variant, emitter, select_kernel
from emberc.backend.c.kernels import collect_files
from emberc.backend.c.registry import EMITTERS
from emberc.errors import UsageError
from emberc.ir.graph import Module
from emberc.ir.op import Op
from emberc.ir.types import DType

HERE = Path(__file__).parent


def _module() -> Module:
    net = Net()
    net.out(Negate, net.add(Negate, net.input("x", DType.I8, 3, 17)))
    return net.module()


def test_a_custom_op_compiles_and_runs(tmp_path: Path) -> None:
    build = write(_module(), tmp_path / "build")
    assert "vectors=4 mismatches=0 errors=0" in compile_and_run(build)
    assert (build / "kernels/negate_s8.c").read_text() == (HERE / "negate_s8.c").read_text()
    assert '#include "negate.h"' in (build / "net.c").read_text() and (build / "include/negate.h").is_file()


def test_a_missing_c_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EMITTERS, "test.negate", EMITTERS["test.negate"])
    emitter("test.negate", kernel="nowhere", source=HERE / "nowhere.c")(EMITTERS["test.negate"].emit)
    with pytest.raises(UsageError, match=r"cannot read the C file 'nowhere\.c'"):
        files_of(_module())


def test_two_c_files_of_one_name_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "negate_s8.c"
    other.write_text("int x;")
    (tmp_path / "negate.h").write_text("")
    module = _module()
    kernels = [select_kernel(module.main.ops[0], ("portable",)), Kernel("negate_s8", other)]
    with pytest.raises(UsageError, match=r"two different C files are called 'kernels/negate_s8\.c'"):
        collect_files(kernels)


def test_the_most_specialised_variant_that_accepts_the_op_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    fast, faster = Kernel("fast", HERE / "fast.c"), Kernel("faster", HERE / "faster.c", scratch_bytes=lambda op: 64)

    def small(op: Op) -> bool:
        return op.results[0].type.elements < 4

    monkeypatch.setitem(VARIANTS, ("armv7em", "negate_s8"), Variant(fast))
    monkeypatch.setitem(VARIANTS, ("mve", "negate_s8"), Variant(faster, small))
    op = _module().main.ops[0]
    assert select_kernel(op, ("portable",)).function == "negate_s8"
    assert select_kernel(op, ("portable", "armv7em")) is fast
    assert select_kernel(op, ("portable", "armv7em", "mve")) is fast, "mve takes only small ones"
    net = Net()
    net.out(Negate, net.input("x", DType.I8, 3))
    assert select_kernel(net.module().main.ops[0], ("portable", "armv7em", "mve")) is faster
