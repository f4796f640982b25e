"""What a policy declares: the mesh, its namespaces and everything that has a name.

A field that is `None` or empty was not written: defaults are the resolver's. `env` empty means every environment.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from meshproof.dsl.ast.node import Flag, Node
from meshproof.dsl.ast.reasons import MtlsDefault, Observe
from meshproof.dsl.ast.sets import SetExpression
from meshproof.dsl.ast.values import (
    Duration,
    Name,
    Number,
    NumberValue,
    PortRef,
    StringValue,
    Text,
)


class Egress(StrEnum):
    """Whether declared services call outside only what a rule allows."""

    CLOSED = "closed"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class EgressDefault(Node):
    """`egress closed|open`."""

    egress: Egress


@dataclass(frozen=True, slots=True)
class Mesh(Node):
    """`mesh NAME { … }`, one a policy."""

    name: Name
    language: Number | None = None
    trust_domain: StringValue | None = None
    aliases: tuple[StringValue, ...] = ()
    trusts: tuple[StringValue, ...] = ()
    namespace: Name | None = None
    mtls: MtlsDefault | None = None
    egress: EgressDefault | None = None
    environments: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Namespace(Node):
    """`namespace N { … }`: defaults for what is declared in it."""

    name: Name
    owner: Text | None = None
    mtls: MtlsDefault | None = None
    closed: Flag | None = None
    files: tuple[Text, ...] = ()
    observe: Observe | None = None
    env: tuple[Name, ...] = ()


class Protocol(StrEnum):
    """What a port speaks."""

    HTTP = "http"
    HTTPS = "https"
    HTTP2 = "http2"
    GRPC = "grpc"
    TCP = "tcp"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class Port(Node):
    """`port [NAME] PROTOCOL NUMBER [-> WORKLOAD-NUMBER] [originate|passthrough]`.

    Without a name it is called as its protocol. `originate` stands in externals, `passthrough` in gateways.
    """

    name: Name | None
    protocol: Protocol
    number: NumberValue
    workload: NumberValue | None = None
    originate: Flag | None = None
    passthrough: Flag | None = None


@dataclass(frozen=True, slots=True)
class Label(Node):
    """`key: "value"`."""

    key: Name
    value: StringValue


@dataclass(frozen=True, slots=True)
class Endpoint(Node):
    """`D[:PORT]`: one destination by name, and one of its ports."""

    name: Name
    port: PortRef | None = None


@dataclass(frozen=True, slots=True)
class Service(Node):
    """`service NAME { … }`."""

    name: Name
    ports: tuple[Port, ...] = ()
    account: Name | None = None
    namespace: Name | None = None
    platform_name: StringValue | None = None
    identity: StringValue | None = None
    labels: tuple[Label, ...] = ()
    versions: tuple[Name, ...] = ()
    tags: tuple[Name, ...] = ()
    accepts: tuple[Name, ...] = ()
    calls: tuple[Endpoint, ...] = ()
    observe: Observe | None = None
    env: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Gateway(Node):
    """`gateway NAME { … }`: where the outside comes in, or where calls to the outside leave."""

    name: Name
    ports: tuple[Port, ...] = ()
    account: Name | None = None
    namespace: Name | None = None
    identity: StringValue | None = None
    hosts: tuple[StringValue, ...] = ()
    certificate: StringValue | None = None
    client_ca: StringValue | None = None
    labels: tuple[Label, ...] = ()
    trusted_proxies: NumberValue | None = None
    accepts: tuple[Name, ...] = ()
    env: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class External(Node):
    """`external NAME { … }`: a destination outside the mesh."""

    name: Name
    hosts: tuple[StringValue, ...] = ()
    ports: tuple[Port, ...] = ()
    via: Name | None = None
    env: tuple[Name, ...] = ()


class TokenPlace(StrEnum):
    """Where else than in `Authorization: Bearer` a token may be."""

    HEADER = "header"
    QUERY = "query"
    COOKIE = "cookie"


@dataclass(frozen=True, slots=True)
class TokenLocation(Node):
    """`from header|query|cookie "x"`."""

    place: TokenPlace
    name: StringValue


@dataclass(frozen=True, slots=True)
class Issuer(Node):
    """`issuer NAME { … }`: who signs tokens."""

    name: Name
    url: StringValue | None = None
    jwks: StringValue | None = None
    audiences: tuple[StringValue, ...] = ()
    location: TokenLocation | None = None
    strip: Flag | None = None
    env: tuple[Name, ...] = ()


class AuthorizerProtocol(StrEnum):
    """How an authorizer is asked."""

    GRPC = "grpc"
    HTTP = "http"


@dataclass(frozen=True, slots=True)
class AuthorizerProtocolSetting(Node):
    """`protocol grpc|http`."""

    protocol: AuthorizerProtocol


@dataclass(frozen=True, slots=True)
class Authorizer(Node):
    """`authorizer NAME { … }`: who is asked by `ask`."""

    name: Name
    address: StringValue | None = None
    protocol: AuthorizerProtocolSetting | None = None
    timeout: Duration | None = None
    env: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Zone(Node):
    """`zone NAME = SET [env E, …]`."""

    name: Name
    members: SetExpression
    env: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class ZoneParameter(Node):
    """`zone NAME "what it is"`: a zone that whoever uses this file must bind."""

    name: Name
    description: Text


@dataclass(frozen=True, slots=True)
class ValueOverride(Node):
    """`env E, … LITERAL`: the value in those environments."""

    env: tuple[Name, ...]
    value: Text | Number


@dataclass(frozen=True, slots=True)
class Value(Node):
    """`value NAME = LITERAL, env E LITERAL, …`; literals are strings or numbers, never another value."""

    name: Name
    default: Text | Number
    overrides: tuple[ValueOverride, ...] = ()


Declaration: TypeAlias = (
    Mesh | Namespace | Service | Gateway | External | Issuer | Authorizer | Zone | ZoneParameter | Value
)
