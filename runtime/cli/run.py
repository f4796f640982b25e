"""`meshproof-proxy run`: stands beside one service."""

from __future__ import annotations

import argparse
from pathlib import Path

from meshproof.runtime.cli.command import Command, refused, tell


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings, in TOML")
    parser.add_argument("--check", action="store_true", help="load everything that the settings name, and end")


def _run(given: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415  `--help` waits for none of these

    from meshproof.runtime.settings_run_file import parse_run_settings  # noqa: PLC0415
    from meshproof.runtime.tables import content_of  # noqa: PLC0415

    content = content_of(given.config)
    settings = parse_run_settings(content, given.config)

    from meshproof.runtime.net.journal import Journal  # noqa: PLC0415
    from meshproof.runtime.net.material.errors import RefusedError  # noqa: PLC0415
    from meshproof.runtime.net.process.parent import Config, Parent, check  # noqa: PLC0415

    config, journal = Config(settings, content, given.config), Journal(tell)
    try:
        if given.check:
            check(config, journal)
        else:
            asyncio.run(Parent(config, journal).run())
    except RefusedError as error:
        return refused(str(error))
    return 0


RUN = Command(
    "run",
    "stand beside a service: prove who calls, keep its policy, and carry its requests",
    _options,
    _run,
    "SIGHUP takes the bundle, the certificates and the keys of issuers anew, SIGTERM ends after what has begun.",
)
