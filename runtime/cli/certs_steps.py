"""The steps of `meshproof-proxy certs`. Each writes to standard output what it made or found."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from meshproof.compiler.ir.json_text import Json, canonical
from meshproof.runtime.identity import development
from meshproof.runtime.identity.errors import IdentityError
from meshproof.runtime.identity.files import SvidFolder
from meshproof.runtime.identity.shown import Shown, shown, shown_authorities, shown_credentials, written
from meshproof.runtime.identity.svid import Credentials

_HOUR, _DAY = 3600, 86_400
_LONGEST_SLEEP = 60.0
_REFUSED = 2


@dataclass(frozen=True, slots=True)
class Moment:
    """What time it is, in seconds since the epoch, and how to wait for another."""

    clock: Callable[[], float]
    sleep: Callable[[float], None]


def make(given: argparse.Namespace, moment: Moment) -> int:
    """`init`."""
    now = moment.clock()
    made = development.make_authority(given.authority, given.trust_domain, now, given.days * _DAY)
    _tell(given, [shown_authorities(given.authority, made)])
    return 0


def issue(given: argparse.Namespace, moment: Moment) -> int:
    """`issue`."""
    now = moment.clock()
    authorities = development.load_authorities(given.authority, now)
    identity = development.identity_of(given.identity, authorities.trust_domain)
    valid = (now, given.hours * _HOUR)
    made = development.issue(
        authorities, given.folder, identity, valid, hosts=tuple(given.host), replaces=given.replace
    )
    _tell(given, [shown_credentials(given.folder, made, now)])
    return 0


def rotate(given: argparse.Namespace, moment: Moment) -> int:
    """`rotate`: once, or again and again. A folder that is refused keeps no other one from its turn."""
    done = _rotate(given, moment.clock(), is_asked=given.now, needs_authority=given.new_authority)
    if not given.watch:
        if done.found or not done.refused or given.output == "json":
            _tell(given, done.found)
        return _complain(done.refused)
    told: tuple[str, ...] = ()
    try:
        while True:
            if done.found:
                _tell(given, done.found)
            if done.refused != told:
                told = done.refused
                _complain(told)
            moment.sleep(min(max(done.due - moment.clock(), 1.0), _LONGEST_SLEEP))
            done = _rotate(given, moment.clock(), is_asked=False, needs_authority=False)
    except KeyboardInterrupt:
        return 0


@dataclass(frozen=True, slots=True)
class _Rotated:
    """What was new, what was refused, and when there is something to do again."""

    found: tuple[Shown, ...]
    refused: tuple[str, ...]
    due: float


def _rotate(given: argparse.Namespace, now: float, *, is_asked: bool, needs_authority: bool) -> _Rotated:
    try:
        authorities, is_new = development.renew_authority(
            given.authority, now, given.days * _DAY, is_asked=needs_authority
        )
    except IdentityError as error:
        return _Rotated((), (str(error),), now)
    found = [shown_authorities(given.authority, authorities)] if is_new else []
    refused: list[str] = []
    in_use: list[Credentials] = []
    for folder in given.folders:
        try:
            made = development.rotate(authorities, folder, (now, given.hours * _HOUR), is_asked=is_asked)
            in_use.append(made or SvidFolder(folder).read().credentials())
        except IdentityError as error:
            refused.append(f"`{folder}`: {error}")
            continue
        if made is not None:
            found.append(shown_credentials(folder, made, now))
    return _Rotated(tuple(found), tuple(refused), development.due(in_use, authorities))


def _complain(refused: Sequence[str]) -> int:
    for why in refused:
        sys.stderr.write(f"meshproof-proxy: {why}\n")
    return _REFUSED if refused else 0


def show(given: argparse.Namespace, moment: Moment) -> int:
    """`show`: of each path what it is; the code says whether all are good."""
    paths: Sequence[Path] = given.paths
    found = [shown(path, moment.clock()) for path in paths]
    _tell(given, found)
    return _REFUSED if any(one.refused for one in found) else 0


def _tell(given: argparse.Namespace, found: Sequence[Shown]) -> None:
    if given.output == "json":
        listed: list[Json] = [one.value() for one in found]
        sys.stdout.write(canonical(listed).decode("ascii"))
    elif found:
        sys.stdout.write("\n".join(map(written, found)))
    else:
        sys.stdout.write("nothing was due\n")
    sys.stdout.flush()


STEPS: Mapping[str, Callable[[argparse.Namespace, Moment], int]] = {
    "make": make,
    "issue": issue,
    "rotate": rotate,
    "show": show,
}
"""The steps by name."""
