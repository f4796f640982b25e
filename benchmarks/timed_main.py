"""Run the main function of a program on something small, and then time it on something large (also without start).

Usage: python timed_main.py MODULE:FUNCTION, with `[[ARG, …], [ARG, …]]` on stdin: the arguments of the first and of the
second run. Prints JSON: the CPU seconds of the second, its exit status and what it printed. The first run loads what
the program loads, so that the second is its work alone. Needs nothing but Python, so that any environment can run it.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
from collections.abc import Callable
from time import process_time


def main() -> None:
    """Both runs; what is printed goes to stdout as JSON."""
    module, _, function = sys.argv[1].partition(":")
    program = getattr(importlib.import_module(module), function)
    small, large = json.load(sys.stdin)
    _run(program, small)
    seconds, status, printed = _run(program, large)
    json.dump({"seconds": seconds, "status": status, "printed": printed}, sys.stdout)


def _run(program: Callable[[], object], arguments: list[str]) -> tuple[float, object, str]:
    sys.argv = ["program", *arguments]
    raw = io.BytesIO()
    printed = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
    begin = process_time()
    with contextlib.redirect_stdout(printed):
        try:
            status = program()
        except SystemExit as leaving:
            status = leaving.code
    return process_time() - begin, status, raw.getvalue().decode()


if __name__ == "__main__":
    main()
