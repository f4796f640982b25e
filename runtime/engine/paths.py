"""The path that is judged: what was sent, in normal form, or nothing where it is refused (ADR 0022)."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"/[!-\"$&-.0->@-\[\]-~/]*").fullmatch
"""A path of printable ASCII without `%`, `?`, `#` and backslash."""

_last: list[object] = [None]
"""The path that was found to be in normal form last: for one request it is asked more than once."""

_PRINTABLE = re.compile(r"/[!-\[\]-~]*").fullmatch
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})?")
_SLASHES = re.compile(r"//+")
_REFUSED = frozenset("\0/\\")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def normal_path(sent: str) -> str | None:
    """The normal form of a path as it was sent, query included; None where the language refuses it."""
    if sent is _last[0]:
        return sent
    if _PLAIN(sent) and "//" not in sent and "/." not in sent:
        _last[0] = sent
        return sent
    if "#" in sent:
        return None
    path = sent.partition("?")[0]
    if _PRINTABLE(path) is None:
        return None
    if "%" in path:
        decoded = _decoded(path)
        if decoded is None:
            return None
        path = decoded
    if "/." in path:
        path = _without_dots(path)
    return _SLASHES.sub("/", path)


def forwarded(sent: str) -> str:
    """What goes on of a path that was let through: the normal form that was judged, with the query as it was sent.

    One that is refused goes on as it is: only where a refusal is observed does it go on at all.
    """
    path = normal_path(sent)
    return sent if path is None or path is sent else path + "".join(sent.partition("?")[1:])


def query_of(sent: str) -> str | None:
    """What follows the first `?`, undecoded; None without one."""
    _, mark, query = sent.partition("?")
    return query if mark else None


def parameters(query: str) -> dict[str, tuple[str, ...]]:
    """The values of each query parameter, undecoded and in order; without `=` the value is empty."""
    found: dict[str, tuple[str, ...]] = {}
    for piece in query.split("&"):
        if piece:
            name, _, value = piece.partition("=")
            found[name] = (*found.get(name, ()), value)
    return found


def _decoded(path: str) -> str | None:
    """Unreserved characters out of their escapes, other escapes as they are; None for what is refused."""
    pieces: list[str] = []
    end = 0
    for match in _ESCAPE.finditer(path):
        digits = match[1]
        char = None if digits is None else chr(int(digits, 16))
        if char is None or char in _REFUSED:
            return None
        pieces.append(path[end : match.start()])
        pieces.append(char if char in _UNRESERVED else match[0])
        end = match.end()
    return "".join((*pieces, path[end:]))


def _without_dots(path: str) -> str:
    """RFC 3986, section 5.2.4."""
    segments = path.split("/")[1:]
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)
