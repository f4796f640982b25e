"""What is being done, on stderr, for whoever waits at a terminal: one line, wiped at the end."""

from __future__ import annotations

import sys
from time import monotonic
from typing import TYPE_CHECKING, Self

from meshproof.compiler.cli.terminal import is_terminal

if TYPE_CHECKING:
    from types import TracebackType

    from meshproof.compiler.cli.session import Session

_PATIENCE = 0.5
_PAUSE = 0.1
_WIPE = "\r\x1b[K"


class Line:
    """The line. Nothing is shown in the first half second, off a terminal, or to who asked for quiet."""

    def __init__(self, session: Session) -> None:
        self._is_shown = is_terminal(sys.stderr) and session.err.verbosity >= 0
        self._next = monotonic() + _PATIENCE
        self._is_dirty = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_dirty:
            sys.stderr.write(_WIPE)
            sys.stderr.flush()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show what is being done, ten times a second at most."""
        if not self._is_shown or monotonic() < self._next:
            return
        self._next = monotonic() + _PAUSE
        self._is_dirty = True
        sys.stderr.write(f"{_WIPE}{what} {done + 1}/{total}")
        sys.stderr.flush()
