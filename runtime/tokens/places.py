"""Where the tokens of issuers stand in a request, and how they are taken out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from meshproof.compiler.ir.entities import TokenPlace

Lines = Sequence[tuple[bytes, bytes]]
"""Header lines as they came, names in any case."""

Look = Callable[[Lines, bytes], list[bytes]]
"""All tokens, well formed or not, that stand at a place of a request."""

_BLANKS = b" \t"
_AUTHORIZATION = b"authorization"
_COOKIE = b"cookie"


def looker(place: TokenPlace | None) -> Look:
    """What looks at the place; None is `Authorization: Bearer`.

    A place that is there and empty holds a token that is none, and so do two lines of which one holds a token: who
    comes after might read the other.
    """
    if place is None:
        return _bearer
    name = place.name.encode("utf-8")
    match place.kind:
        case "header":
            wanted = name.lower()
            return lambda lines, _: [value.strip(_BLANKS) for key, value in lines if key.lower() == wanted]
        case "query":
            return lambda _, target: _parameters(target, name)
        case _:
            return lambda lines, _: _cookies(lines, name)


def header_of(place: TokenPlace | None) -> str | None:
    """The header in which tokens stand, in lower case; None if they do in the query."""
    if place is None:
        return "authorization"
    return {"header": place.name.lower(), "cookie": "cookie"}.get(place.kind)


def without_token(place: TokenPlace | None, lines: Lines, target: bytes) -> tuple[Lines, bytes]:
    """The header lines and the target of a request without the token at the place, for issuers that say `strip`."""
    if place is not None and place.kind == "query":
        return lines, _without_parameter(target, place.name.encode("utf-8"))
    if place is not None and place.kind == "cookie":
        return tuple(_without_cookie(lines, place.name.encode("utf-8"))), target
    name = _AUTHORIZATION if place is None else place.name.lower().encode("utf-8")
    return tuple(line for line in lines if line[0].lower() != name), target


def _bearer(lines: Lines, _: bytes) -> list[bytes]:
    values = [value.strip(_BLANKS) for name, value in lines if name.lower() == _AUTHORIZATION]
    tokens = [rest.strip(_BLANKS) for scheme, _, rest in map(_scheme, values) if scheme == b"bearer"]
    return values if tokens and len(values) > 1 else tokens


def _scheme(value: bytes) -> tuple[bytes, bytes, bytes]:
    scheme, blank, rest = value.replace(b"\t", b" ").partition(b" ")
    return scheme.lower(), blank, rest


def _parameters(target: bytes, name: bytes) -> list[bytes]:
    query = target.partition(b"#")[0].partition(b"?")[2]
    pairs = (one.partition(b"=") for one in query.split(b"&")) if name in query else ()
    return [value for key, _, value in pairs if key == name]


def _without_parameter(target: bytes, name: bytes) -> bytes:
    path, mark, query = target.partition(b"?")
    kept = [one for one in query.split(b"&") if one.partition(b"=")[0] != name]
    return path + mark + b"&".join(kept) if kept else path


def _cookies(lines: Lines, name: bytes) -> list[bytes]:
    """Of all lines: HTTP/2 may send one for each cookie."""
    return [_unquoted(value) for key, value in _pairs(lines) if key == name]


def _pairs(lines: Lines) -> Iterable[tuple[bytes, bytes]]:
    for key, line in lines:
        if key.lower() == _COOKIE:
            for crumb in line.split(b";"):
                name, _, value = crumb.partition(b"=")
                yield name.strip(_BLANKS), value.strip(_BLANKS)


def _unquoted(value: bytes) -> bytes:
    is_quoted = len(value) > 1 and value.startswith(b'"') and value.endswith(b'"')
    return value[1:-1] if is_quoted else value


def _without_cookie(lines: Lines, name: bytes) -> Iterable[tuple[bytes, bytes]]:
    for key, line in lines:
        if key.lower() != _COOKIE:
            yield key, line
            continue
        crumbs = [crumb.strip(_BLANKS) for crumb in line.split(b";")]
        kept = [crumb for crumb in crumbs if crumb and crumb.partition(b"=")[0].strip(_BLANKS) != name]
        if kept:
            yield key, b"; ".join(kept)
