"""JSON as it goes in and out: read strictly, written canonically."""

from __future__ import annotations

import json
from collections.abc import Iterable
from json.encoder import encode_basestring
from math import isfinite
from typing import NoReturn

from meshproof.dsl.suggest import closest

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""A parsed JSON text."""


class JsonError(Exception):
    """Something cannot be read. `path` leads to it, as in `$.rules[0].when`; `message` is one lower-case sentence."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message, path)
        self.message = message
        self._path = path

    @property
    def path(self) -> str:
        """Where in the text the trouble is; `$` is all of it."""
        return "$" + self._path

    def within(self, place: str) -> JsonError:
        """The same trouble, seen from one level up: `place` is `.name` or `[0]`."""
        return JsonError(self.message, place + self._path)

    def __str__(self) -> str:
        return f"{self.message} (at {self.path})"


def parse(text: str | bytes) -> Json:
    """The value of a JSON text (RFC 8259). Raises `JsonError`.

    Stricter than Python's own reader: no name twice in an object, no `NaN`, no number too large for it, UTF-8 alone.
    """
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        value: Json = json.loads(
            decoded, object_pairs_hook=_members, parse_constant=_refuse_constant, parse_float=_finite
        )
    except UnicodeDecodeError:
        raise JsonError("the text is not UTF-8") from None
    except json.JSONDecodeError as error:
        why = error.msg.lower().removesuffix(" at")
        raise JsonError(f"this is no JSON: {why} at character {error.pos}") from None
    except RecursionError:
        raise JsonError("the text is nested too deeply") from None
    except ValueError:
        raise JsonError("a number has too many digits") from None
    return value


def canonical(value: Json) -> bytes:
    """The one text of a value: names sorted, no blanks, ASCII, a line end last. The same bytes on every machine."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.encode("ascii") + b"\n"


def quoted(text: str) -> str:
    """The text as JSON writes it, beyond ASCII as it is."""
    return encode_basestring(text)


def indented(value: Json, margin: str = "\n") -> str:
    """The value for people, two blanks a level: what `json.dumps` writes, which is slow as soon as it indents.

    `margin` is the line break and the blanks before what closes the value.
    """
    inner = margin + "  "
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict) and value:
        members = [f"{quoted(name)}: {indented(item, inner)}" for name, item in value.items()]
        return "{" + inner + f",{inner}".join(members) + margin + "}"
    if isinstance(value, list) and value:
        return "[" + inner + f",{inner}".join([indented(item, inner) for item in value]) + margin + "]"
    return json.dumps(value)


def suggestion(name: str, known: Iterable[str]) -> str:
    """What was perhaps meant, as the end of a sentence; empty if nothing is close."""
    close = closest(name, known)
    return "" if close is None else f", perhaps `{close}` was meant"


def _members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise JsonError(f"`{twice}` stands twice in one object")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise JsonError(f"`{name}` is no JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise JsonError(f"`{text}` is too large a number")
    return value
