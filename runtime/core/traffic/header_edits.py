"""Edits of request headers. What they write can neither end a line nor change where a message ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import assert_never

from meshproof.compiler.ir.routing import HeaderAction, HeaderEdit

Lines = tuple[tuple[bytes, bytes], ...]
"""Names as they came, or in lower case, and values."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+").fullmatch
_VALUE = re.compile(r"(?:[!-~](?:[ \t!-~]*[!-~])?)?").fullmatch
"""Printable ASCII, with no blank at either end, where parsers would take it away."""

_FRAMING = frozenset(
    (
        "connection",
        "content-length",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
_OWN = ("x-envoy-", "x-forwarded-", "x-meshproof-")

Edits = Callable[[Lines], Lines]


class EditError(ValueError):
    """An edit that no proxy may make; a policy with one is not loaded. One lower-case sentence."""


def checked(edit: HeaderEdit) -> HeaderEdit:
    """The edit. Raises `EditError`."""
    if not _NAME(edit.name):
        raise EditError(f"`{edit.name}` is no name of a header in lower case")
    if edit.name in _FRAMING or edit.name.startswith(_OWN):
        raise EditError(f"the header `{edit.name}` is the proxy's own, and no route edits it")
    if not _VALUE(edit.value):
        raise EditError(f"the value for the header `{edit.name}` is no printable ASCII without blanks around it")
    return edit


def edits(written: tuple[HeaderEdit, ...]) -> Edits | None:
    """All edits of a branch, one after the other; None for none. Raises `EditError`."""
    steps = tuple(_step(checked(edit)) for edit in written)
    if not steps:
        return None

    def edited(lines: Lines) -> Lines:
        for step in steps:
            lines = step(lines)
        return lines

    return edited


def _step(edit: HeaderEdit) -> Edits:
    name = edit.name.encode("ascii")
    line = (name, edit.value.encode("ascii"))
    match edit.action:
        case HeaderAction.SET:
            return lambda lines: (*_without(name, lines), line)
        case HeaderAction.ADD:
            return lambda lines: (*lines, line)
        case HeaderAction.REMOVE:
            return lambda lines: _without(name, lines)
        case _:
            assert_never(edit.action)


def _without(name: bytes, lines: Lines) -> Lines:
    return tuple(line for line in lines if line[0] != name and line[0].lower() != name)
