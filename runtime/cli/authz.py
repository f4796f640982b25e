"""`meshproof-proxy authz`: answers Envoys that ask."""

from __future__ import annotations

import argparse
from pathlib import Path

from meshproof.runtime.cli.command import Command, refused, tell


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings, in TOML")
    parser.add_argument("--check", action="store_true", help="load everything that the settings name, and end")


def _run(given: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415  `--help` waits for none of these
    import os  # noqa: PLC0415

    from meshproof.runtime.settings_file import read_settings  # noqa: PLC0415

    settings = read_settings(given.config)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # it would write lines of its own between ours

    from meshproof.runtime.net.errors import StartError  # noqa: PLC0415
    from meshproof.runtime.net.journal import Journal  # noqa: PLC0415
    from meshproof.runtime.net.loading import check  # noqa: PLC0415
    from meshproof.runtime.net.loop import loop_factory  # noqa: PLC0415
    from meshproof.runtime.net.running import serve  # noqa: PLC0415

    try:
        if given.check:
            journal = Journal(tell)
            for gap in check(settings):
                journal.tell("gap", what=gap)
        else:
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                runner.run(serve(settings, Journal(tell)))
    except StartError as error:
        return refused(str(error))
    return 0


AUTHZ = Command(
    "authz",
    "answer Envoys that ask (`ext_authz`, over HTTP or gRPC)",
    _options,
    _run,
    "SIGHUP takes the bundle and the certificate anew, SIGTERM ends after what has begun.",
)
