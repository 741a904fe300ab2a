"""The pass manager: pipelines as text and as lists, options, entry points, and who is blamed for what."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from emberc.errors import EmberError, InternalError, UsageError, VerifyError
from emberc.ir.graph import Module
from emberc.ir.parser import parse_module
from emberc.passes import PASSES, Pass, PassManager, Pipeline, RewritePass, default_pipeline, parse_pipeline

TEXT = """module @m {
  func @main(%x : f32[2]) {
    %a = f.neg %x : f32[2] loc "/neg"
    %y = f.tanh %a : f32[2] loc "/tanh"
    return %y as "y"
  }
}
"""


@pytest.fixture(autouse=True)
def forget_passes() -> Iterator[None]:
    """Passes that a test defines are unknown to the next one."""
    known = dict(PASSES)
    yield
    PASSES.clear()
    PASSES.update(known)


def module() -> Module:
    return parse_module(TEXT)


@dataclass(frozen=True)
class Log(Pass):
    """Writes into the module's notes that it ran."""

    what: str = "ran"
    times: int = 1
    scale: float = 1.0
    dry_run: bool = False

    def run(self, module: Module) -> bool:
        module.notes += [self.what] * self.times
        return False


def named(name: str, base: type[Pass] = Log, **members: object) -> Pass:
    """A pass class of its own under ``name``, with these methods."""
    cls = type(name.title(), (base,), {"name": name, "__module__": f"test_{name}", **members})
    made = dataclass(frozen=True)(cls)()
    assert isinstance(made, Pass)
    return made


def test_the_pipeline_runs_in_order_and_is_timed() -> None:
    m, heard = module(), list[str]()
    first, second = named("first"), named("second")
    seconds = PassManager(Pipeline([first, second, first]), progress=heard.append).run(m)
    assert heard == ["first", "second", "first"] and list(seconds) == ["first", "second"]
    assert m.notes == ["ran"] * 3 and all(s >= 0 for s in seconds.values())


def test_pipelines_change_by_name_and_stay_as_they_were() -> None:
    a, b, c = (named(n) for n in "abc")
    base = Pipeline([a, b])
    assert base.insert_before("b", c).names() == ["a", "c", "b"]
    assert base.insert_after("b", c, c).names() == ["a", "b", "c", "c"]
    assert base.replace("a", c).names() == ["c", "b"]
    assert base.remove("a").names() == ["b"]
    assert base.names() == ["a", "b"]
    for change in (base.insert_before, base.insert_after, base.replace):
        with pytest.raises(UsageError, match=r"the pipeline has no pass 'z'") as e:
            change("z", c)
        assert e.value.hints == ["its passes are: a, b"]


def test_the_text_of_a_pipeline_is_the_pipeline() -> None:
    text = str(default_pipeline())
    assert str(parse_pipeline(text)) == text
    assert parse_pipeline(text).passes == default_pipeline().passes
    assert parse_pipeline("").passes == []
    assert parse_pipeline(" fuse-gelu ,\n canonicalize").names() == ["fuse-gelu", "canonicalize"]


def test_options_have_the_types_of_their_fields() -> None:
    named("log")
    (p,) = parse_pipeline("log{what=x times=3 scale=0.5 dry-run=true}")
    assert isinstance(p, Log) and (p.what, p.times, p.scale, p.dry_run) == ("x", 3, 0.5, True)
    assert str(p) == "log{what=x times=3 scale=0.5 dry-run=True}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nothing", "unknown pass 'nothing'"),
        ("log,,log", "can't read the pipeline at ',log'"),
        ("log{times=3", "can't read the pipeline at 'log{times=3'"),
        ("log{size=3}", "pass 'log' has no option 'size'"),
        ("log{times=many}", "log{times} is a whole number, not 'many'"),
        ("log{dry-run=maybe}", "log{dry-run} is true or false, not 'maybe'"),
        ("log{times}", "pass option 'times' has no value"),
    ],
)
def test_a_pipeline_that_cannot_be_read_says_where(text: str, says: str) -> None:
    named("log")
    with pytest.raises(UsageError) as e:
        parse_pipeline(text)
    assert e.value.message == says and e.value.hints


def test_two_passes_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match=r"pass 'fuse-gelu' is already defined by emberc\.passes\.fuse_gelu\.FuseGelu"):
        named("fuse-gelu")


def test_a_subclass_without_a_name_of_its_own_does_not_take_its_base_s() -> None:
    cls = PASSES["fuse-gelu"]
    type("Mine", (cls,), {})
    assert PASSES["fuse-gelu"] is cls


def test_print_after_and_stop_after() -> None:
    m, shown = module(), list[str]()
    pipeline = Pipeline([named("first"), named("second"), named("third")])
    PassManager(pipeline, frozenset({"second"}), "second", emit_text=shown.append).run(m)
    assert m.notes == ["ran", "ran"]
    assert shown == [f"// after second{{what=ran times=1 scale=1.0 dry-run=False}}\n{TEXT}"]


def test_names_that_the_pipeline_lacks_are_refused() -> None:
    empty = Pipeline([])
    for manager in (PassManager(empty, frozenset({"x"})), PassManager(empty, stop_after="x")):
        with pytest.raises(UsageError, match="the pipeline has no pass 'x'"):
            manager.run(module())


def broken_ir(self: Pass, module: Module) -> bool:
    module.main.ops.reverse()
    return True


def raises(error: Exception):  # type: ignore[no-untyped-def]
    def method(self: Pass, module: Module) -> bool:
        raise error

    return method


def test_a_pass_that_breaks_the_ir_is_blamed_by_name() -> None:
    good, bad = named("good"), named("bad", run=broken_ir)
    with pytest.raises(VerifyError) as e:
        PassManager(Pipeline([good, bad, good])).run(module())
    assert e.value.message == "operand 'x' is used before it is defined after pass 'bad'"
    assert e.value.at == "op f.tanh (/tanh)"


def test_a_module_that_is_broken_already_is_nobody_s_fault() -> None:
    m = module()
    m.main.ops.reverse()
    with pytest.raises(VerifyError) as e:
        PassManager(Pipeline([named("good")])).run(m)
    assert "after pass" not in e.value.message


@pytest.mark.parametrize("method", ["requires", "run", "ensures"])
def test_what_a_pass_raises_names_the_pass(method: str) -> None:
    for error, says in ((InternalError("no"), "no"), (KeyError("k"), "pass 'bad' failed: KeyError: 'k'")):
        bad = named("bad", **{method: raises(error)})
        with pytest.raises(EmberError) as e:
            PassManager(Pipeline([bad])).run(module())
        assert e.value.message == says and "pass 'bad'" in e.value.render()


@pytest.mark.parametrize(("base", "says"), [(Pass, "defines no run"), (RewritePass, "defines no rules")])
def test_an_empty_pass_says_what_it_lacks(base: type[Pass], says: str) -> None:
    with pytest.raises(VerifyError, match=f"pass 'empty' {says}"):
        PassManager(Pipeline([named("empty", base)])).run(module())


PLUGIN = '''from dataclasses import dataclass
from typing import ClassVar
import emberc

@dataclass(frozen=True)
class Shout(emberc.Pass):
    """Without postponed annotations, as a user may write it."""
    name: ClassVar[str] = "shout"
    times: int = 1
    def run(self, module):
        module.notes += ["HA"] * self.times
        return False
'''


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """An installed distribution that offers ``shout``."""
    (folder / "shouting_plugin.py").write_text(source)
    info = folder / "shouting-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shouting\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[emberc.passes]\nshout = shouting_plugin:Shout\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "shouting_plugin", raising=False)


def test_installed_packages_offer_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, PLUGIN)
    m = module()
    PassManager(parse_pipeline("shout{times=2}")).run(m)
    assert m.notes == ["HA", "HA"]


def test_a_plugin_that_cannot_be_imported_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "import there_is_no_such_module\n")
    with pytest.raises(UsageError, match=r"can't load the pass 'shout' from shouting_plugin:Shout") as e:
        parse_pipeline("canonicalize")
    assert e.value.hints == ["mend or uninstall shouting"]
