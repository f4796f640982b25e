"""A request as one line for people, in the form of a test line of the language where it has one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from meshproof.compiler.ir.request import ClaimObject, Request, RequestProtocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from meshproof.compiler.ir.request import ClaimValue, Token


def request_text(request: Request, identities: Mapping[str, str]) -> str:
    """The request, such as `frontend -> catalog:3550 call shop.Catalog/List with header["x-a"] == "1"`.

    `identities` names the declared ones; others are written out.
    """
    parts = [_source(request, identities), "->", f"{request.destination}:{request.port}", *_operation(request)]
    details = list(_details(request))
    if details:
        parts += ["with", ", ".join(details)]
    return " ".join(parts)


def _source(request: Request, identities: Mapping[str, str]) -> str:
    uri = request.source.identity
    if uri is None:
        return "plaintext"
    return identities.get(uri) or f"identity {_quoted(uri)}"


def _operation(request: Request) -> Iterator[str]:
    if request.protocol is RequestProtocol.TCP:
        yield "(tcp)"
        return
    path = request.path
    if (
        request.protocol is RequestProtocol.GRPC
        and request.method == "POST"
        and path is not None
        and path.count("/") == len("//")
    ):
        yield f"call {path.removeprefix('/')}"
        return
    if request.method is not None:
        yield request.method
    elif path is not None:
        yield "*"
    if path is not None:
        yield path if not set(path) & set(' #"') else _quoted(path)


def _details(request: Request) -> Iterator[str]:
    """What stands behind `with`. The host that a caller's proxy would send is left out, as in a test line."""
    is_usual = request.host == request.destination
    plain = (
        ("source.ip", request.source.ip),
        ("client.ip", request.client_ip),
        ("host", None if is_usual else request.host),
        ("sni", request.sni),
    )
    yield from (f"{name} == {_quoted(value)}" for name, value in plain if value is not None)
    yield from (f"header[{_quoted(name)}] == {_quoted(value)}" for name, value in request.headers)
    if request.token is not None:
        yield from _token(request.token)
    yield from (f"{name} == {'allow' if answer else 'deny'}" for name, answer in request.answers)
    if request.day is not None:
        yield f"at {request.day.isoformat()}"


def _token(token: Token) -> Iterator[str]:
    yield "token valid" if token.is_valid else "token invalid"
    for name, value in token.claims.members:
        yield f"claim[{_quoted(name)}] == {json.dumps(_plain(value), ensure_ascii=False)}"


def _plain(value: ClaimValue) -> object:
    match value:
        case ClaimObject(members):
            return {name: _plain(member) for name, member in members}
        case tuple():
            return [_plain(member) for member in value]
        case _:
            return value


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
