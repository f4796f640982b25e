"""The command `meshproof-proxy`: what runs beside services. One file a command.

Exit codes: 0 it ended as it was told to, 1 a log is not whole (`verify-log`), 2 usage, or something that it was given
is refused.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version

from meshproof.runtime.cli.authz import AUTHZ
from meshproof.runtime.cli.certs import CERTS
from meshproof.runtime.cli.command import refused
from meshproof.runtime.cli.keygen import KEYGEN
from meshproof.runtime.cli.run import RUN
from meshproof.runtime.cli.sign import SIGN, VERIFY
from meshproof.runtime.cli.verify_log import VERIFY_LOG
from meshproof.runtime.tables import SettingError

COMMANDS = (RUN, AUTHZ, CERTS, KEYGEN, SIGN, VERIFY, VERIFY_LOG)
"""In the order of the help."""

_CODES = "Exit codes: 0 ended as told, 1 a log is not whole (`verify-log`), 2 usage or something given is refused."


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process."""
    given = _parser().parse_args(arguments)
    try:
        code: int = given.run(given)
    except SettingError as error:
        code = refused(str(error))
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "meshproof":
            raise
        code = refused(f"it needs `{error.name.partition('.')[0]}`, of the extra `runtime`")
    sys.exit(code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="meshproof-proxy", description="Keep a compiled policy where the requests are.", epilog=_CODES
    )
    parser.add_argument("--version", action="version", version=f"meshproof-proxy {version('meshproof')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        sentence = f"{command.summary[0].upper()}{command.summary[1:]}. {command.more}".strip()
        one = commands.add_parser(command.name, help=command.summary, description=sentence, epilog=_CODES)
        command.options(one)
        one.set_defaults(run=command.run)
    return parser
