"""The command `meshproof`: one file a command in `commands`, loaded when it is called."""

from __future__ import annotations


def main() -> None:
    """Run the command line and leave the process with the exit code of cli.md."""
    from meshproof.compiler.cli.root import root  # noqa: PLC0415  click is loaded only when a command line runs

    root(prog_name="meshproof")
