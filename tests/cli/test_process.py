"""The command as a process: start-up, help, colours, interrupts, pipes, and errors that nobody foresaw."""

import json
import os
import pty
import re
import resource
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import click
import pytest

import emberc.frontend.load
from emberc.cli.main import cli
from tests.cli.conftest import Emberc
from tests.zoo import ZooModel

COMMANDS = sorted(cli.commands)
EMBERC = [sys.executable, "-c", "from emberc.cli.main import main; main()"]
COLOUR = re.compile(r"\x1b\[\d+m")


def on_terminal(args: list[str], **environment: str) -> str:
    """What `emberc args` writes when stdout and stderr are one terminal."""
    master, slave = pty.openpty()
    env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm"} | environment
    with subprocess.Popen([*EMBERC, *args], stdout=slave, stderr=slave, env=env) as process:
        os.close(slave)
        shown = b""
        while True:
            try:
                chunk = os.read(master, 4096)
            except OSError:  # how Linux says that the other end is closed
                break
            if not chunk:
                break
            shown += chunk
        process.wait()
    os.close(master)
    return shown.decode()


def _described(name: str, rest: str) -> click.Command:
    """The command, or the command of a group, that an example line runs."""
    command = cli.commands[name]
    return command.commands[rest.split()[0]] if isinstance(command, click.Group) else command


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_has_examples_that_it_understands(emberc_cli: Emberc, command: str) -> None:
    done = emberc_cli(command, "--help")
    assert (done.code, done.err) == (0, "")
    shown = re.findall(r"^    emberc (\S+) ?(.*)$", done.out.partition("Examples:")[2], re.MULTILINE)
    assert command in [name for name, _ in shown]
    for name, rest in shown:
        options = {o for p in _described(name, rest).params for o in p.opts}
        assert set(re.findall(r"(?<!\S)--?[a-z]+(?:-[a-z]+)*", rest)) <= options


def test_help_documents_the_exit_codes(emberc_cli: Emberc) -> None:
    out = emberc_cli("--help").out
    assert [int(n) for n in re.findall(r"^    (\d)  \w", out, re.MULTILINE)] == [0, 1, 2, 3, 4]
    for command in COMMANDS:
        assert re.search(rf"^  {command} +[A-Z]", out, re.MULTILINE)


def test_every_option_has_help() -> None:
    for command in cli.commands.values():
        for param in command.params:
            assert not isinstance(param, click.Option) or param.help, f"{command.name} {param.opts}"


def test_version(emberc_cli: Emberc) -> None:
    assert emberc_cli("--version").out == f"emberc {version('emberc')}\n"


@pytest.mark.parametrize("args", [["compose"], ["--loud"]])
def test_an_unknown_command_or_option_ends_with_2(emberc_cli: Emberc, args: list[str]) -> None:
    done = emberc_cli(*args)
    assert done.code == 2
    assert args[0] in done.err


def test_help_does_not_wait_for_heavy_imports() -> None:
    code = "import sys; from emberc.cli.main import run; run(['compile', '--help']); print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "click" in loaded
    assert not loaded & {"numpy", "onnx", "onnxruntime", "lark", "jinja2", "emberc.driver", "emberc.ir.op"}


def test_help_is_quick() -> None:
    # Processor time: wall time would measure what else the machine does.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*EMBERC, "--help"], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5


def test_a_pipe_gets_no_escape_codes(linear: Path, tmp_path: Path) -> None:
    for args in (["compile", str(linear), "-o", str(tmp_path / "b")], ["compile", "x", "-o", "y"], ["targets"]):
        done = subprocess.run([*EMBERC, *args], capture_output=True, text=True, check=False)
        assert "\x1b" not in done.stdout + done.stderr
        assert "\r" not in done.stdout + done.stderr


def test_a_terminal_gets_colours_and_a_live_line(linear: Path, tmp_path: Path) -> None:
    shown = on_terminal(["compile", str(linear), "-o", str(tmp_path / "b")])
    assert "\x1b[33m" in shown  # the warning about made-up samples, in yellow
    assert re.search(r"\r\x1b\[K  measure    \.\.\.  0\.0 s", shown)
    assert "\x1b[31m" in on_terminal(["compile", "missing.onnx", "-o", str(tmp_path / "c")])  # an error, in red


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_that_wants_no_colours_gets_none(environment: dict[str, str]) -> None:
    assert not COLOUR.search(on_terminal(["compile", "missing.onnx", "-o", "b"], **environment))
    assert COLOUR.search(on_terminal(["compile", "missing.onnx", "-o", "b"]))


def _listen() -> None:
    """A shell's background jobs, and what they start, ignore SIGINT; the child must not inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interrupt_ends_with_130_and_leaves_nothing(small_bert: ZooModel, tmp_path: Path) -> None:
    out = tmp_path / "b"
    args = [*EMBERC, "compile", str(small_bert.path), "-o", str(out)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(args, **pipes, text=True, preexec_fn=_listen) as process:  # type: ignore[call-overload]
        assert process.stderr
        assert "warning" in process.stderr.readline()  # it is at work now
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.strip() == "interrupted"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("args", [["passes"], ["passes", "--json"], ["--help"]])
def test_a_reader_that_leaves_is_no_error(args: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*EMBERC, *args], stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert done.stderr == ""


def _break(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path) -> None:
        raise ZeroDivisionError("nobody foresaw this")

    monkeypatch.setattr(emberc.frontend.load, "_parse", broken)


def test_an_unforeseen_exception_is_an_internal_error_without_traceback(
    emberc_cli: Emberc, linear: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _break(monkeypatch)
    done = emberc_cli("compile", linear, "-o", tmp_path / "b", "--json")
    assert done.code == 1
    assert "error[E-INTERNAL]: ZeroDivisionError: nobody foresaw this" in done.err
    assert "EMBERC_DEBUG=1" in done.err
    assert "Traceback" not in done.err
    assert json.loads(done.out)["error"]["code"] == "E-INTERNAL"
    assert not (tmp_path / "b").exists()


def test_debug_shows_the_traceback(
    emberc_cli: Emberc, linear: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _break(monkeypatch)
    monkeypatch.setenv("EMBERC_DEBUG", "1")
    done = emberc_cli("compile", linear, "-o", tmp_path / "b")
    assert done.code == 1
    assert "Traceback" in done.err
    assert "in broken" in done.err


def test_names_that_the_terminal_can_not_show_are_escaped(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("id,lower,upper,size\nm\u00fcll,0,1,4\n", encoding="utf-8")
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [*EMBERC, "plan", str(tmp_path / "b.csv")], capture_output=True, text=True, env=env, check=False
    )
    assert done.returncode == 0 and "m\\xfcll" in done.stdout
