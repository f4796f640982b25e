"""The command `meshproof`: one file a command in `commands`, loaded when it is called."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and leave the process with the exit code of cli.md."""
    _open_missing_streams()
    from meshproof.compiler.cli.root import root  # noqa: PLC0415  click is loaded only when a command line runs

    root(prog_name="meshproof")


def _open_missing_streams() -> None:
    """Stand in for stdin, stdout or stderr where the caller has closed it.

    Else the first file that is opened would take the place, and what is printed would go into it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:  # noqa: PLR2004  the three standard streams
        os.set_inheritable(descriptor, True)  # noqa: FBT003  the way of `os`
    os.close(descriptor)
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115  lives as long as the process
