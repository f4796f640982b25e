from __future__ import annotations

import sys

import pytest

from meshproof.compiler.cli import progress
from meshproof.compiler.cli.progress import Line
from meshproof.compiler.cli.session import open_session


class Terminal:
    """A stream that says it is a terminal, and keeps what is written."""

    encoding = "utf-8"
    closed = False

    def __init__(self, *, is_tty: bool) -> None:
        self.written = ""
        self._is_tty = is_tty

    def isatty(self) -> bool:
        return self._is_tty

    def write(self, text: str) -> int:
        self.written += text
        return len(text)

    def flush(self) -> None:
        """Nothing is kept back."""


def shown(monkeypatch: pytest.MonkeyPatch, *, is_tty: bool, is_quiet: bool = False, patience: float = 0.0) -> str:
    stream = Terminal(is_tty=is_tty)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "_PATIENCE", patience)
    with Line(open_session("check", (), {"quiet": is_quiet})) as line:
        line("proving claims", 2, 7)
        line("proving claims", 3, 7)
    return stream.written


def test_at_a_terminal_what_is_done_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, is_tty=True)

    assert "proving claims" in text
    assert "3/7" in text


@pytest.mark.parametrize(
    ("is_tty", "is_quiet", "patience"), [(False, False, 0.0), (True, True, 0.0), (True, False, 1000.0)]
)
def test_otherwise_nothing_is(
    monkeypatch: pytest.MonkeyPatch, *, is_tty: bool, is_quiet: bool, patience: float
) -> None:
    assert shown(monkeypatch, is_tty=is_tty, is_quiet=is_quiet, patience=patience) == ""
