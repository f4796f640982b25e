"""Loaded by every Python that starts with this folder on PYTHONPATH: its clock is off by the seconds in a file.

Without its C half, `datetime` asks `time.time` what day it is; so one function shifts both, at once and at any time.
"""

import os
import sys
import time

_file = os.environ["MESHPROOF_CLOCK_FILE"]
_seconds = time.time

for _module in ("_datetime", "_zoneinfo"):  # the second is built on the first
    sys.modules[_module] = None  # type: ignore[assignment]  # how the import system is told that there is none


def _shifted() -> float:
    with open(_file, encoding="ascii") as file:  # noqa: PTH123  `pathlib` is not loaded for this
        return _seconds() + float(file.read())


time.time = _shifted
