"""`meshproof-proxy certs`: identities for development, and what there is to know of any."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from meshproof.runtime.cli.command import Command, refused

_DAYS = (1, 3650)
_HOURS = (1, 24 * 365)


def _options(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar="STEP")
    init = _step(commands, "init", "make the authority of a trust domain", "make")
    init.add_argument("authority", type=Path, metavar="AUTHORITY", help="a folder, made if it is not there (0700)")
    init.add_argument("--trust-domain", required=True, metavar="NAME", help="as in the policy, such as `cluster.local`")
    _add_days(init)
    issue = _step(commands, "issue", "give a workload its certificate, key and trust bundle", "issue")
    issue.add_argument("authority", type=Path, metavar="AUTHORITY", help="the folder of the authority")
    issue.add_argument("identity", metavar="IDENTITY", help="a SPIFFE ID, or its path: `/ns/shop/sa/front`")
    issue.add_argument("folder", type=Path, metavar="FOLDER", help="where to write, made if it is not there (0700)")
    issue.add_argument("--host", action="append", default=[], metavar="NAME", help="a DNS name to have in it too")
    issue.add_argument("--replace", action="store_true", help="write over what is in the folder")
    _add_hours(issue)
    summary = "give anew what has lived half of its time, and tell all of new authorities"
    rotate = _step(commands, "rotate", summary, "rotate")
    rotate.add_argument("authority", type=Path, metavar="AUTHORITY", help="the folder of the authority")
    rotate.add_argument("folders", type=Path, nargs="*", metavar="FOLDER", help="folders that `issue` has written")
    rotate.add_argument("--now", action="store_true", help="give all anew, however young")
    rotate.add_argument("--new-authority", action="store_true", help="make a new key; it signs an hour later")
    rotate.add_argument("--watch", action="store_true", help="go on until interrupted")
    _add_hours(rotate)
    _add_days(rotate)
    show = _step(commands, "show", "tell what is in a folder or a file, and why it is refused, if it is", "show")
    show.add_argument(
        "paths", type=Path, nargs="+", metavar="PATH", help="a folder of an SVID, or a certificate in PEM"
    )


def _step(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, summary: str, step: str
) -> argparse.ArgumentParser:
    sentence = f"{summary[0].upper()}{summary[1:]}."
    parser = commands.add_parser(name, help=summary, description=sentence)
    parser.add_argument("--output", choices=("text", "json"), default="text", help="how to tell (default: text)")
    parser.set_defaults(step=step)
    return parser


def _add_hours(parser: argparse.ArgumentParser) -> None:
    said = "how long certificates are valid (default: 1)"
    parser.add_argument("--hours", type=_whole(_HOURS), default=1, metavar="N", help=said)


def _add_days(parser: argparse.ArgumentParser) -> None:
    said = "how long an authority is valid (default: 30)"
    parser.add_argument("--days", type=_whole(_DAYS), default=30, metavar="N", help=said)


def _whole(bounds: tuple[int, int]) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 6 and bounds[0] <= int(text) <= bounds[1]):  # noqa: PLR2004
            raise argparse.ArgumentTypeError(f"a whole number from {bounds[0]} to {bounds[1]} is expected")
        return int(text)

    return read


def _run(given: argparse.Namespace) -> int:
    from meshproof.runtime.cli import certs_steps  # noqa: PLC0415  `--help` works without the extra `runtime`
    from meshproof.runtime.identity.errors import IdentityError  # noqa: PLC0415

    try:
        return certs_steps.STEPS[given.step](given, certs_steps.Moment(time.time, time.sleep))
    except IdentityError as error:
        return refused(str(error))


CERTS = Command(
    "certs",
    "make and rotate identities for development, and show any",
    _options,
    _run,
    "The authority that it makes is for development and tests: its key lies in a file. Where something is at stake, "
    "take SPIRE, or what your platform has; `show` and the proxy read what these write.",
)
