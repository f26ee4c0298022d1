"""The conversation as somebody at a real terminal (a pseudo-terminal) has it."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PRECEPTOR = str(Path(sys.executable).with_name("preceptor"))
_CODES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r")


class Terminal:
    """A terminal in which `preceptor chat` runs."""

    def __init__(self, folder: Path) -> None:
        self._ours, theirs = pty.openpty()
        environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100", "PROMPT_TOOLKIT_NO_CPR": "1"}
        self.process = subprocess.Popen(
            [PRECEPTOR, "chat"], cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        self._unread = b""
        self.raw = b""

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._ours, text.encode())

    def wait_for(self, text: str, seconds: float = 30.0) -> str:
        """Read the screen until `text` is on it; give what was written up to it since the last time."""
        deadline = time.monotonic() + seconds
        while text not in (shown := _CODES.sub(b"", self._unread).decode(errors="replace")):
            ready, _, _ = select.select([self._ours], [], [], max(deadline - time.monotonic(), 0))
            assert ready, f"{text!r} did not appear; the screen: {shown!r}"
            read = os.read(self._ours, 65_536)
            self._unread += read
            self.raw += read
        before, _, after = shown.partition(text)
        self._unread = after.encode()
        return before + text

    def close(self) -> None:
        """Pull the plug."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._ours)


@pytest.fixture
def terminal(tmp_path: Path, handbook: Path) -> Iterator[Terminal]:
    (handbook / "trap.md").write_text("# Lift\n\nThe lift \x1b[31mstands\x07 beside the stairs.\n")
    (tmp_path / "preceptor.toml").write_text('[knowledge]\nsources = ["handbook"]\n')
    opened = Terminal(tmp_path)
    yield opened
    opened.close()


def test_a_conversation_in_the_terminal(terminal: Terminal) -> None:
    terminal.wait_for("You ›")
    terminal.type("When does the office open?\r")
    assert "Sources" in terminal.wait_for("extractive")
    terminal.wait_for("You ›")
    terminal.type("/halp\r")
    terminal.wait_for("Did you mean /help?")
    terminal.wait_for("You ›")
    terminal.type("where is the lift?\r")
    assert "beside the stairs" in terminal.wait_for("extractive")
    terminal.wait_for("You ›")
    terminal.type("\x04")
    assert terminal.process.wait(timeout=15) == 0


def test_a_passage_cannot_ring_the_bell_or_colour_the_screen(terminal: Terminal) -> None:
    terminal.wait_for("You ›")
    terminal.type("where is the lift?\r")
    terminal.wait_for("beside the stairs")
    assert b"\x07" not in terminal.raw
    assert b"\x1b[31m" not in terminal.raw


def test_ctrl_c_at_the_prompt_drops_the_line_and_quit_leaves(terminal: Terminal) -> None:
    terminal.wait_for("You ›")
    terminal.type("half a quest\x03")
    terminal.wait_for("You ›")
    terminal.type("/quit\r")
    assert terminal.process.wait(timeout=15) == 0
