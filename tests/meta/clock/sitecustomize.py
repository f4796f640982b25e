"""Loaded by every Python that starts with this folder on PYTHONPATH: its clock runs MESHPROOF_CLOCK_DAYS ahead.

Without its C half, `datetime` asks `time.time` what day it is; so one function shifts both.
"""

import os
import sys
import time

_days = int(os.environ["MESHPROOF_CLOCK_DAYS"])
_seconds, _nanoseconds = time.time, time.time_ns

for _module in ("_datetime", "_zoneinfo"):  # the second is built on the first
    sys.modules[_module] = None  # type: ignore[assignment]  # how the import system is told that there is none


def _ahead() -> float:
    """Of grpc's own modules it stays behind: their core waits by the system's clock, until then."""
    caller = sys._getframe(1).f_globals.get("__name__", "")
    return _seconds() + (0 if caller.startswith("grpc.") else _days * 86_400)


time.time = _ahead
time.time_ns = lambda: _nanoseconds() + _days * 86_400_000_000_000
