"""The console's lines, and a board on a serial port played by a pseudo-terminal."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emberc import harness
from emberc.errors import UsageError
from emberc.harness import RunError, run_serial
from emberc.harness.console import VectorResult, parse_console
from tests.harness.conftest import MakeBuild

GOOD = """\
ember: vector=0 mismatches=0 status=0
ember: vector=1 mismatches=0 status=0
ember: vector=2 mismatches=0 status=0
ember: done vectors=3 mismatches=0 errors=0 stack=1184
"""
BAD = GOOD.replace("=1 mismatches=0", "=1 mismatches=5").replace("=2 mismatches=0 status=0", "=2 mismatches=0 status=3")


def test_console_lines() -> None:
    result = parse_console("boot\n" + BAD + "bye\n")
    assert result.vectors == (VectorResult(0, 0, 0), VectorResult(1, 5, 0), VectorResult(2, 0, 3))
    assert result.mismatches == 6
    assert result.stack == 1184


def test_console_without_summary() -> None:
    with pytest.raises(RunError, match="did not come to its end") as caught:
        parse_console(GOOD.rpartition("ember: done")[0])
    assert caught.value.details[-1] == "ember: vector=2 mismatches=0 status=0"


def test_console_with_a_lost_line() -> None:
    with pytest.raises(RunError, match="ran 3 vectors, but 2 of their lines arrived"):
        parse_console(GOOD.replace("ember: vector=1", "ember: vecxor=1"))


class Board:
    """The far end of a serial line."""

    def __init__(self) -> None:
        self._far, self._near = os.openpty()
        self.port = os.ttyname(self._near)

    def send(self, *texts: str) -> None:
        """Send the texts one after the other, once the harness had time to open the port."""

        def speak() -> None:
            for text in texts:
                time.sleep(0.15)
                os.write(self._far, text.replace("\n", "\r\n").encode())

        threading.Thread(target=speak, daemon=True).start()

    def close(self) -> None:
        os.close(self._far)
        os.close(self._near)


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board()
    yield board
    board.close()


def test_run_on_a_board_in_pieces(board: Board) -> None:
    board.send(GOOD[:50], GOOD[50:51], GOOD[51:])
    result = run_serial(f"serial:{board.port}", timeout=5)
    assert len(result.vectors) == 3
    assert result.mismatches == 0


def test_end_of_an_earlier_run_is_skipped(board: Board) -> None:
    board.send(BAD[45:], GOOD)
    assert run_serial(f"serial:{board.port}@9600", timeout=5).mismatches == 0


def test_silent_board(board: Board) -> None:
    board.send(GOOD[:60])
    with pytest.raises(RunError, match=r"the board was silent for 0\.5 s"):
        run_serial(f"serial:{board.port}", timeout=0.5)


def test_board_among_the_targets(board: Board, make_build: MakeBuild) -> None:
    board.send(BAD)
    (run,) = harness.test_build(make_build(), [f"serial:{board.port}"])
    assert (run.vectors, run.mismatches, run.instructions, run.ok) == (3, 6, None, False)


def test_board_with_another_image(board: Board, make_build: MakeBuild) -> None:
    board.send(GOOD)
    (run,) = harness.test_build(make_build(vectors=4), [f"serial:{board.port}"])
    assert isinstance(run.error, RunError)
    assert run.error.message == "the board ran 3 vectors, the manifest says 4"


def test_port_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot open the serial port: No such file"):
        run_serial(f"serial:{tmp_path / 'tty'}")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="not a serial port"):
        run_serial(f"serial:{tmp_path / 'file'}")


def test_baud_rate_that_is_none(board: Board) -> None:
    with pytest.raises(UsageError, match="no such baud rate: '12345'"):
        run_serial(f"serial:{board.port}@12345")
