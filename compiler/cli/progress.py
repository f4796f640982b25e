"""What is being done, on stderr, for whoever waits at a terminal."""

from __future__ import annotations

import sys
from time import monotonic
from typing import TYPE_CHECKING, Self

from meshproof.compiler.cli.terminal import is_terminal

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import Progress, TaskID

    from meshproof.compiler.cli.session import Session

_PATIENCE = 0.5


class Line:
    """A bar that goes away at the end. Nothing in the first half second, off a terminal, or for who asked for quiet."""

    def __init__(self, session: Session) -> None:
        self._is_shown = is_terminal(sys.stderr) and session.err.verbosity >= 0
        self._has_colour = session.err.has_colour
        self._start = monotonic() + _PATIENCE
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show what is being done."""
        if not self._is_shown or monotonic() < self._start:
            return
        if self._bar is None or self._task is None:
            self._bar = _bar(has_colour=self._has_colour)
            self._task = self._bar.add_task(what)
            self._bar.start()
        self._bar.update(self._task, description=what, completed=done, total=total)


def _bar(*, has_colour: bool) -> Progress:
    from rich.console import Console  # noqa: PLC0415  it takes as long as a small policy
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415  the same

    console = Console(stderr=True, no_color=not has_colour)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=console, transient=True)
