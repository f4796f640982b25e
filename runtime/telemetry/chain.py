"""A log whose lines hold each other: each ends with the hash of itself, which begins with that of the line before.

A line that is missing, changed, added or at another place breaks the chain there. With a key nobody without it can make
a chain; without one, whoever may write to the file can make a new one, and the last hash has to be kept elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

from meshproof.compiler.ir.json_text import JsonError, parse

BEGINNING = "0" * 64
"""What stands for the line before the first one."""

_LINE = re.compile(rb'(\{.*,"seq":([1-9][0-9]{0,17}),"prev":"([0-9a-f]{64})"),"hash":"([0-9a-f]{64})"\}', re.DOTALL)
_LOST = re.compile(
    rb'\{"event":"lost","first":([0-9]{1,18}),"last":([0-9]{1,18}),"seq":[0-9]{1,18},"prev":"[0-9a-f]{64}"'
)
RECOVERED = "recovered"
"""The event of the line that says of the bytes before it that they are the torn part of a line, and how many."""
LOST = "lost"
"""The event of the line that says that the file had fewer lines at a start than its process had written."""
CLOSED_TEXT = '{"event":"closed"'
"""The members of the line that a process writes last: a log without it at its end is in use, or was cut off."""


@dataclass(frozen=True, slots=True)
class Link:
    """The last line of a chain: its number and its hash."""

    number: int = 0
    hash: str = BEGINNING


@dataclass(frozen=True, slots=True)
class Sealed:
    """A line that was read: whole in itself, whatever stands before it."""

    previous: str
    link: Link
    members: bytes


class Chain:
    """Seals lines. It moves on with `advance` alone, so lines that could not be written leave no gap."""

    def __init__(self, last: Link, key: bytes | None = None) -> None:
        self.last = last
        self._key = key

    def sealed(self, members: Sequence[str]) -> list[tuple[bytes, Link]]:
        """Lines, each with its end and its place. `members` are objects without the brace that ends them."""
        found: list[tuple[bytes, Link]] = []
        number, before = self.last.number, self.last.hash
        for text in members:
            number += 1
            body = f'{text},"seq":{number},"prev":"{before}"'.encode("utf-8", "replace")
            before = digest(body, self._key)
            found.append((body + b',"hash":"' + before.encode("ascii") + b'"}\n', Link(number, before)))
        return found

    def advance(self, last: Link) -> None:
        """Lines up to this one are on record."""
        self.last = last


def digest(body: bytes, key: bytes | None) -> str:
    """The hash of a line up to its hash: SHA-256, or HMAC of it with a key."""
    return hashlib.sha256(body).hexdigest() if key is None else hmac.new(key, body, hashlib.sha256).hexdigest()


def read(line: bytes, key: bytes | None) -> Sealed | None:
    """A line without its end; None where it is no JSON object, or not the one that was sealed."""
    found = _LINE.fullmatch(line)
    if found is None or not hmac.compare_digest(digest(found[1], key).encode("ascii"), found[4]):
        return None
    try:
        parse(line)
    except JsonError:
        return None
    return Sealed(found[3].decode("ascii"), Link(int(found[2]), found[4].decode("ascii")), found[1])


def torn_text(torn: bytes) -> str:
    """The members of the line that says what the torn part before it is."""
    return f'{{"event":"{RECOVERED}","torn_bytes":{len(torn)},"torn_hash":"{hashlib.sha256(torn).hexdigest()}"'


def lost_text(last: Link, head: Link) -> str:
    """The members of the line that says of the lines between them that they were written, and were gone at a start."""
    return f'{{"event":"{LOST}","first":{last.number + 1},"last":{head.number}'


def lost_in(sealed: Sealed) -> tuple[int, int] | None:
    """The first and the last of the lines that this line says to be lost, if it says so."""
    found = _LOST.fullmatch(sealed.members)
    return None if found is None else (int(found[1]), int(found[2]))


def is_closed_text(sealed: Sealed) -> bool:
    """Whether a line says that its process has ended in order."""
    return sealed.members.startswith(f"{CLOSED_TEXT},".encode("ascii"))


def is_torn_text(sealed: Sealed, torn: bytes) -> bool:
    """Whether a line says so of these bytes."""
    return sealed.members.startswith(torn_text(torn).encode("ascii") + b",")
