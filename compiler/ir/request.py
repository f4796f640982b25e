"""One request, as it arrives. The JSON form is in the product's command-line reference."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from meshproof.compiler.ir.names import AuthorizerName, NodeName


class RequestProtocol(StrEnum):
    """TLS that the proxy ends is HTTP; opaque TLS is TCP with an SNI."""

    HTTP = "http"
    GRPC = "grpc"
    TCP = "tcp"


@dataclass(frozen=True, slots=True)
class ClaimObject:
    """A JSON object inside a token, in the order of its names."""

    members: tuple[tuple[str, ClaimValue], ...]


ClaimValue = str | int | float | bool | None | tuple["ClaimValue", ...] | ClaimObject


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token where the destination looks for one. `is_valid`: signature, time and audience would pass at
    a destination that accepts its issuer (`iss`)."""  # noqa: D205, D209

    is_valid: bool
    claims: ClaimObject


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of the connection: a verified SPIFFE ID as URI (None: plaintext), and its address."""

    identity: str | None
    ip: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A request or, on `tcp`, a connection. `path` is as sent, query included. `port` is the workload's.

    `headers` are pairs in order with names in lower case. `answers` are what authorizers would say (True: yes).
    """

    source: Peer
    destination: NodeName
    port: int
    protocol: RequestProtocol
    destination_ip: str | None = None
    client_ip: str | None = None
    method: str | None = None
    host: str | None = None
    path: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    token: Token | None = None
    sni: str | None = None
    answers: tuple[tuple[AuthorizerName, bool], ...] = ()
    day: date | None = None
