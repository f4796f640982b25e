"""The command `meshproof-proxy`: what decides while a mesh runs.

Exit codes: 0 it ended as it was told to, 2 usage, or something that it was given is refused.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from meshproof.runtime.settings import AuthzSettings
from meshproof.runtime.settings_file import read_settings
from meshproof.runtime.tables import SettingError

_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process."""
    given = _parser().parse_args(arguments)
    try:
        settings = read_settings(given.config)
    except SettingError as error:
        sys.exit(_refused(str(error)))
    sys.exit(_authz(settings, is_check=given.check))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="meshproof-proxy", description="Decide requests by a compiled policy.")
    parser.add_argument("--version", action="version", version=f"meshproof-proxy {version('meshproof')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    authz = commands.add_parser(
        "authz",
        help="answer Envoys that ask over HTTP (`ext_authz`, `http_service`)",
        description="Answer Envoys that ask over HTTP (`ext_authz`, `http_service`). "
        "SIGHUP takes the bundle and the certificate anew, SIGTERM ends after what has begun.",
        epilog="Exit codes: 0 ended as told, 2 usage or something given is refused.",
    )
    authz.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings, in TOML")
    authz.add_argument("--check", action="store_true", help="load everything that the settings name, and end")
    return parser


def _authz(settings: AuthzSettings, *, is_check: bool) -> int:
    try:
        from meshproof.runtime.net.journal import Journal  # noqa: PLC0415  `--help` works without the extra `runtime`
        from meshproof.runtime.net.running import serve  # noqa: PLC0415
        from meshproof.runtime.net.service import StartError, load_authorizer, server_context  # noqa: PLC0415
    except ModuleNotFoundError as error:
        return _refused(f"it needs `{error.name}`, of the extra `runtime`")
    try:
        if is_check:
            load_authorizer(settings)
            if settings.listen.tls is not None:
                server_context(settings.listen.tls)
        else:
            asyncio.run(serve(settings, Journal(_write)))
    except StartError as error:
        return _refused(str(error))
    return 0


def _write(line: str) -> None:
    sys.stderr.write(line)
    sys.stderr.flush()


def _refused(why: str) -> int:
    sys.stderr.write(f"meshproof-proxy: {why}\n")
    return _USAGE
