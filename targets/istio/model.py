"""Istio's objects as values, as far as they are emitted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from meshproof.targets.common.yaml import Value

SECURITY = "security.istio.io/v1"
NETWORKING = "networking.istio.io/v1"

API_VERSIONS = {
    "AuthorizationPolicy": SECURITY,
    "PeerAuthentication": SECURITY,
    "RequestAuthentication": SECURITY,
    "DestinationRule": NETWORKING,
    "Gateway": NETWORKING,
    "ServiceEntry": NETWORKING,
    "Sidecar": NETWORKING,
    "VirtualService": NETWORKING,
}


@dataclass(frozen=True, slots=True)
class Source:
    """`from[].source`: the fields are ANDed, the values of one ORed, `not_principals` is NOT(OR)."""

    principals: tuple[str, ...] = ()
    not_principals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """`to[].operation`, with the same reading."""

    methods: tuple[str, ...] = ()
    not_methods: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    not_hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    not_paths: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """`when[]`."""

    key: str
    values: tuple[str, ...] = ()
    not_values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """One element of `rules`. Without sources any caller, without conditions any request of the operations."""

    sources: tuple[Source, ...]
    operations: tuple[Operation, ...]
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """What the source map says of an object, or of one of its rules (`index`)."""

    subject: str
    index: int | None = None


@dataclass(frozen=True, slots=True)
class IstioObject:
    """One object. `valid_until` is the first day on which it is wrong, if there is one."""

    kind: str
    namespace: str
    name: str
    spec: Value
    pieces: tuple[Piece, ...] = ()
    valid_until: date | None = None
    annotations: tuple[tuple[str, str], ...] = field(default=())
