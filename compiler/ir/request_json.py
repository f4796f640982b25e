"""A request in JSON, as the command-line reference gives it: one object a line.

Reading names what is wrong and where, so that `str(error)` can stand in `{"error": …}`. Whether such a request can
exist in the mesh is not asked here but by the interpreter.
"""

from __future__ import annotations

import re

from meshproof.compiler.ir.claim_json import read_object, write_object
from meshproof.compiler.ir.codecs import read_date
from meshproof.compiler.ir.json_fields import Fields, flag, number, text
from meshproof.compiler.ir.json_text import Json, JsonError, parse, suggestion
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import AuthorizerName, SpiffeId
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol, Token
from meshproof.compiler.ir.request_destination import address, protocol_at, read_destination, single_port

_FIELDS = (
    "source",
    "destination",
    "port",
    "protocol",
    "method",
    "path",
    "host",
    "headers",
    "client_ip",
    "sni",
    "answers",
    "token",
    "day",
)
_HTTP = ("method", "path", "host", "headers", "token")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[^\x00\r\n]*")
_LAST_PORT = 65535


def request_from_json(value: Json, mesh: Mesh | None = None) -> Request:
    """The request of a JSON object, or of its text. Raises `JsonError`.

    With a mesh, a workload may be named by namespace and labels, the port and the protocol may be left out where the
    mesh tells them, and unknown names are refused. A `source` without an identity is a caller without one.
    """
    fields = Fields.of(parse(value) if isinstance(value, str) else value, _FIELDS)
    destination = fields.required("destination", lambda given: read_destination(given, mesh))
    node = None if mesh is None else mesh.node(destination.node)
    port = fields.optional("port", _port) or single_port(node)
    speaks_http = any(fields.members.get(name) for name in _HTTP)
    return Request(
        source=fields.required("source", _peer),
        destination=destination.node,
        destination_ip=destination.ip,
        port=port,
        protocol=fields.optional("protocol", _protocol) or protocol_at(node, port, speaks_http=speaks_http),
        client_ip=fields.optional("client_ip", address),
        method=fields.optional("method", _method),
        host=fields.optional("host", text),
        path=fields.optional("path", text),
        headers=fields.optional("headers", _headers) or (),
        token=fields.optional("token", _token),
        sni=fields.optional("sni", text),
        answers=fields.optional("answers", lambda given: _answers(given, mesh)) or (),
        day=fields.optional("day", read_date),
    )


def request_to_json(request: Request) -> dict[str, Json]:
    """The request as a JSON object, without what it leaves out; reading it gives back the same request."""
    source: dict[str, Json] = {"identity": request.source.identity}
    destination: dict[str, Json] = {"service": request.destination}
    fields: dict[str, Json] = {
        "source": source | _given({"ip": request.source.ip}),
        "destination": destination | _given({"ip": request.destination_ip}),
        "port": request.port,
        "protocol": request.protocol.value,
    }
    optional: dict[str, Json] = {
        "method": request.method,
        "path": request.path,
        "host": request.host,
        "headers": _written_headers(request.headers) if request.headers else None,
        "client_ip": request.client_ip,
        "sni": request.sni,
        "answers": {name: "allow" if is_yes else "deny" for name, is_yes in request.answers} or None,
        "token": None if request.token is None else _written_token(request.token),
        "day": None if request.day is None else request.day.isoformat(),
    }
    return fields | _given(optional)


def _given(members: dict[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in members.items() if value is not None}


def _written_headers(headers: tuple[tuple[str, str], ...]) -> Json:
    found: dict[str, Json] = dict(headers)
    return found if len(found) == len(headers) else [[name, value] for name, value in headers]


def _written_token(token: Token) -> Json:
    return {"valid": token.is_valid, "claims": write_object(token.claims)}


def _peer(value: Json) -> Peer:
    fields = Fields.of(value, ("identity", "ip"))
    return Peer(fields.optional("identity", _identity), fields.optional("ip", address))


def _identity(value: Json) -> str:
    uri = text(value)
    if SpiffeId.parse(uri) is None:
        raise JsonError(f"`{uri}` is no SPIFFE ID of a workload, `spiffe://TRUST-DOMAIN/PATH`")
    return uri


def _port(value: Json) -> int:
    port = number(value)
    if not 1 <= port <= _LAST_PORT:
        raise JsonError(f"`{port}` is no port")
    return port


def _protocol(value: Json) -> RequestProtocol:
    names = [protocol.value for protocol in RequestProtocol]
    found = text(value)
    if found not in names:
        raise JsonError(f"`{found}` is no protocol of a request: {', '.join(f'`{name}`' for name in names)}")
    return RequestProtocol(found)


def _method(value: Json) -> str:
    method = text(value)
    if not _TOKEN.fullmatch(method):
        raise JsonError(f"`{method}` is no method")
    return method


def _headers(value: Json) -> tuple[tuple[str, str], ...]:
    """A map, or a list of pairs where a name repeats."""
    if isinstance(value, dict):
        return tuple(_header(name, line, f".{name}") for name, line in value.items())
    if not isinstance(value, list):
        raise JsonError("a map of headers, or a list of pairs, is expected")
    found: list[tuple[str, str]] = []
    for index, pair in enumerate(value):
        match pair:
            case [str() as name, line]:
                found.append(_header(name, line, f"[{index}]"))
            case _:
                raise JsonError("a pair of a name and a value is expected").within(f"[{index}]")
    return tuple(found)


def _header(name: str, value: Json, place: str) -> tuple[str, str]:
    try:
        return _header_line(name, value)
    except JsonError as error:
        raise error.within(place) from None


def _header_line(name: str, value: Json) -> tuple[str, str]:
    lower = name.lower()
    line = text(value)
    if lower in {"host", ":authority"}:
        raise JsonError(f"`{name}` is the field `host` of a request")
    if not _TOKEN.fullmatch(lower):
        raise JsonError(f"`{name}` is no name of a header")
    if not _VALUE.fullmatch(line):
        raise JsonError("a header's value holds no line end")
    return lower, line


def _answers(value: Json, mesh: Mesh | None) -> tuple[tuple[AuthorizerName, bool], ...]:
    """Of manifests, somebody may be named whom no file configures: nobody asks such a one."""
    is_open = mesh is None or mesh.is_lifted
    known = tuple(value) if is_open and isinstance(value, dict) else _authorizers(mesh)
    fields = Fields.of(value, known)
    return tuple((AuthorizerName(name), fields.required(name, _answer)) for name in fields.members)


def _authorizers(mesh: Mesh | None) -> tuple[str, ...]:
    return () if mesh is None else tuple(authorizer.name for authorizer in mesh.authorizers)


def _answer(value: Json) -> bool:
    answer = text(value)
    if answer not in {"allow", "deny"}:
        raise JsonError(f"an authorizer says `allow` or `deny`, not `{answer}`{suggestion(answer, ('allow', 'deny'))}")
    return answer == "allow"


def _token(value: Json) -> Token:
    fields = Fields.of(value, ("valid", "claims"))
    claims = fields.optional("claims", read_object)
    return Token(fields.required("valid", flag), read_object({}) if claims is None else claims)
