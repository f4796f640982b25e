"""What an authorizer writes down of its decisions, while it runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from meshproof.runtime.extauthz.judged import Judged
from meshproof.runtime.net.errors import StartError
from meshproof.runtime.net.journal import Journal
from meshproof.runtime.settings_run import TelemetrySettings
from meshproof.runtime.tables import SettingError
from meshproof.runtime.telemetry.decision_log import DecisionLog
from meshproof.runtime.telemetry.making import make_decision_log

_TICK_SECONDS = 1.0
_LAST_SECONDS = 1.0


class Recording:
    """The decision log of the settings, where they ask for one. Before `open` and after `close` nothing is written."""

    def __init__(self, settings: TelemetrySettings, journal: Journal) -> None:
        self._settings = settings
        self._journal = journal
        self._log: DecisionLog | None = None
        self._ticking: asyncio.TimerHandle | None = None

    @property
    def tell(self) -> Callable[[Judged], None] | None:
        """What hears of each decision."""
        return None if self._settings.decision_log is None else self._add

    def open(self) -> None:
        """Continue the log. Raises `StartError`."""
        try:
            self._log = make_decision_log(self._settings, self._journal.tell)
        except SettingError as error:
            raise StartError(str(error)) from None

    def begin(self) -> None:
        """Write once a second what waits."""
        if self._log is not None:
            self._ticking = asyncio.get_running_loop().call_later(_TICK_SECONDS, self._tick)

    def close(self) -> None:
        """Write the rest, and that it has ended."""
        log, self._log = self._log, None
        if self._ticking is not None:
            self._ticking.cancel()
        if log is not None:
            log.close(_LAST_SECONDS)

    def _add(self, judged: Judged) -> None:
        if self._log is not None:
            self._log.add(judged.record(time.monotonic()))

    def _tick(self) -> None:
        if self._log is not None:
            self._log.tick(time.time(), time.monotonic())
            self.begin()
