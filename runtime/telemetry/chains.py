"""The chains of a decision log: one for each process that wrote at a time, each in one or more parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from meshproof.compiler.ir.json_text import Json, JsonError, parse
from meshproof.runtime.telemetry.chain import Link
from meshproof.runtime.telemetry.chained_head import heads_of
from meshproof.runtime.telemetry.verify_log import Broken, Whole, verify

_MOST_SEEN = 1024 * 1024
_SLOT = re.compile(r"[1-9][0-9]{0,2}").fullmatch
_PART = re.compile(r"[0-9]{18}").fullmatch
_HASH = re.compile(r"[0-9a-f]{64}").fullmatch


class LogError(Exception):
    """A log, or what is known of it, cannot be read. The message is one lower-case sentence."""


def chains_of(path: Path) -> dict[str, tuple[Path, ...]]:
    """The files of each chain, in their order, by the name of the chain: `PATH`, `PATH.1` and so on."""
    try:
        names = [one.name for one in path.parent.iterdir() if one.name.startswith(path.name)]
    except OSError as error:
        raise LogError(f"`{path.parent}` cannot be read: {error.strerror}") from None
    found: dict[str, list[str]] = {}
    for name in names:
        rest = name[len(path.name) :].split(".")[1:] if name != path.name else []
        if f"{path.name}{''.join(f'.{one}' for one in rest)}" != name:
            continue
        slot = [rest.pop(0)] if rest and _SLOT(rest[0]) else []
        part = [rest.pop(0)] if rest and _PART(rest[0]) else []
        if not rest:
            found.setdefault(".".join((path.name, *slot)), []).append(part[0] if part else "~")  # `~` is after digits
    return {
        chain: tuple(path.with_name(chain if part == "~" else f"{chain}.{part}") for part in sorted(parts))
        for chain, parts in sorted(found.items())
    }


def verify_chains(path: Path, key: bytes | None, known: Mapping[str, Link]) -> dict[str, Whole | Broken]:
    """What each chain of a log is; those that were seen before and are gone included. Raises `LogError`."""
    try:
        heads = heads_of(path)  # before the lines are read: a process that writes meanwhile is never behind them
    except OSError as error:
        raise LogError(f"`{error.filename}` cannot be read: {error.strerror}") from None
    chains = chains_of(path)
    found: dict[str, Whole | Broken] = {}
    for name in sorted({*chains, *known, *heads}):
        files = chains.get(name)
        if files is None:
            how = "seen before," if name in known else "which its process has written,"
            found[name] = Broken(name, 0, f"the chain, {how} is missing")
        elif (one := _verified(files, key, known.get(name), heads.get(name))) is not None:
            found[name] = one
    return found


def _reaches(one: Whole | Broken, name: str, head: Link | None) -> Whole | Broken:
    """Whether the end is where its process has left it."""
    if isinstance(one, Broken) or head is None or one.last.number > head.number or one.last == head:
        return one
    if one.last.number == head.number:
        return Broken(name, 0, f"line {head.number} of the chain is another one than its process has written")
    return Broken(
        name, 0, f"lines {one.last.number + 1} to {head.number} of the chain, which were written, are missing"
    )


def _verified(
    files: tuple[Path, ...], key: bytes | None, known: Link | None, head: Link | None
) -> Whole | Broken | None:
    """None for a file that a process has opened, and in which it has written nothing."""
    with ExitStack() as stack:
        try:
            opened = [(one.name, stack.enter_context(one.open("rb"))) for one in files]
            if known is None and head is None and len(files) == 1 and files[0].stat().st_size == 0:
                return None
            return _reaches(verify(opened, key, known), files[-1].name, head)
        except OSError as error:
            raise LogError(f"`{error.filename}` cannot be read: {error.strerror}") from None


def value_of(chains: Mapping[str, Whole | Broken]) -> Json:
    """What was found, for programs, and for the next look."""
    return {"chains": {name: _value(one) for name, one in chains.items()}}


def _value(one: Whole | Broken) -> Json:
    match one:
        case Whole():
            return {
                "is_whole": True,
                "lines": one.lines,
                "first": one.first.number + 1,
                "last": one.last.number,
                "last_hash": one.last.hash,
                "recovered": one.recovered,
                "is_closed": one.is_closed,
            }
        case Broken():
            return {"is_whole": False, "file": one.file, "line": one.line, "why": one.what}


def known_of(path: Path) -> dict[str, Link]:
    """The last lines of the chains that an earlier look has found whole, out of what `value_of` has said of them."""
    try:
        with path.open("rb") as file:
            told = parse(file.read(_MOST_SEEN))
    except OSError as error:
        raise LogError(f"`{path}` cannot be read: {error.strerror}") from None
    except JsonError:
        told = None
    chains = told.get("chains") if isinstance(told, dict) else None
    if not isinstance(chains, dict):
        raise LogError(f"`{path}` is not what `verify-log --output json` has written")
    found: dict[str, Link] = {}
    for name, one in chains.items():
        if not isinstance(one, dict) or one.get("is_whole") is not True:
            raise LogError(f"`{path}` says of `{name}` that it is not whole, so there is nothing to compare with")
        number, text = one.get("last"), one.get("last_hash")
        if not isinstance(number, int) or isinstance(number, bool) or not isinstance(text, str) or not _HASH(text):
            raise LogError(f"`{path}` is not what `verify-log --output json` has written")
        found[name] = Link(number, text)
    return found
