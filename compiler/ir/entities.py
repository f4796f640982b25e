"""Who calls and who is called: services, gateways, externals, and what they rely on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from meshproof.compiler.ir.names import (
    AuthorizerName,
    IssuerName,
    NodeName,
    Origin,
    SpiffeId,
)
from meshproof.compiler.ir.predicate import Predicate


class Protocol(StrEnum):
    """What was declared for a port."""

    HTTP = "http"
    HTTPS = "https"
    HTTP2 = "http2"
    GRPC = "grpc"
    TCP = "tcp"
    TLS = "tls"


OTHER_PORTS = "other ports"
"""What the port is called that stands for all that nothing declares or tells apart."""


class Layer(StrEnum):
    """What the judging proxy sees on a port: requests, or connections. TLS that the proxy ends is HTTP, opaque TLS
    is TCP. `SNIFFED` ports (lifted files alone) may carry either."""  # noqa: D205, D209

    HTTP = "http"
    TCP = "tcp"
    SNIFFED = "sniffed"


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A declared port. Callers dial `number`; the workload listens on `workload`, which is what rules bind to."""

    name: str
    protocol: Protocol
    layer: Layer
    number: int
    workload: int
    origin: Origin
    is_passthrough: bool = False
    is_originated: bool = False


@dataclass(frozen=True, slots=True)
class Exemption:
    """Why something is less strict than it should be, who owns that, and the last day (UTC) on which it holds."""

    because: str | None
    owner: str | None
    until: date | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class Need:
    """A call that a service declares that it makes (`calls`)."""

    destination: NodeName
    port: int | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class Service:
    """A declared workload with an identity. Without ports it only calls.

    `platform_name` is the Kubernetes Service's name. `default_allow` lists the layers on which a request that no
    rule decides is allowed: empty for the language, which always refuses. `is_account_known`: lifted files may speak of
    a workload and not say under which account it runs; `account` and `identity` are then the default's.
    """

    name: NodeName
    namespace: str
    platform_name: str
    account: str
    identity: SpiffeId
    labels: tuple[tuple[str, str], ...]
    ports: tuple[ServicePort, ...]
    origin: Origin
    versions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    accepts: tuple[IssuerName, ...] = ()
    calls: tuple[Need, ...] = ()
    observe: Exemption | None = None
    default_allow: tuple[Layer, ...] = ()
    is_account_known: bool = True


@dataclass(frozen=True, slots=True)
class Gateway:
    """A proxy at the edge. Callers from outside have no identity; towards services it has its own.

    `are_ports_known`: lifted files may show no Service, which says where the numbers of servers are listened to; they
    are then taken for the workload's own.
    """

    name: NodeName
    namespace: str
    account: str
    identity: SpiffeId
    labels: tuple[tuple[str, str], ...]
    hosts: tuple[str, ...]
    ports: tuple[ServicePort, ...]
    origin: Origin
    certificate: str | None = None
    client_ca: str | None = None
    trusted_proxies: int = 0
    accepts: tuple[IssuerName, ...] = ()
    default_allow: tuple[Layer, ...] = ()
    are_ports_known: bool = True
    is_account_known: bool = True


@dataclass(frozen=True, slots=True)
class External:
    """Something outside the mesh. The sender's proxy judges, or the gateway `via`."""

    name: NodeName
    hosts: tuple[str, ...]
    ports: tuple[ServicePort, ...]
    origin: Origin
    via: NodeName | None = None


Node = Service | Gateway | External


@dataclass(frozen=True, slots=True)
class TokenPlace:
    """Where a token is read instead of `Authorization: Bearer`: `kind` is `header`, `query` or `cookie`."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs tokens. `url` is `iss`; a token must be for one of `audiences`, if there are any.

    `words` are claims whose string is its words, besides `scope` and `permission`; lifted files alone name some.
    `is_strict_about_audience` (lifted files alone): a token that says no audience is for none, and audiences are
    compared as Envoy does, without `http://` or `https://` in front and one `/` behind (ADR 0136).
    """

    name: IssuerName
    url: str
    jwks: str | None
    audiences: tuple[str, ...]
    origin: Origin
    place: TokenPlace | None = None
    is_stripped: bool = False
    words: tuple[str, ...] = ()
    is_strict_about_audience: bool = False

    @property
    def accepted_audiences(self) -> tuple[str, ...]:
        """All audiences of which a token must name one, those that are asked for first; none if it need not."""
        if not self.is_strict_about_audience:
            return self.audiences
        cores = tuple(dict.fromkeys(map(audience_core, self.audiences)))
        forms = (f"{scheme}{core}{slash}" for core in cores for scheme in _SCHEMES for slash in ("", "/"))
        return tuple(dict.fromkeys((*self.audiences, *(form for form in forms if audience_core(form) in cores))))

    @property
    def needs_audience(self) -> bool:
        """Whether a token that says no audience is refused."""
        return self.is_strict_about_audience and bool(self.audiences)


_SCHEMES = ("", "http://", "https://")


def audience_core(audience: str) -> str:
    """What Envoy compares of an audience (`sanitizeAudience` in jwt_verify_lib)."""
    scheme = next((one for one in _SCHEMES[1:] if audience.startswith(one)), "")
    return audience.removeprefix(scheme).removesuffix("/")


@dataclass(frozen=True, slots=True)
class Authorizer:
    """An external authorization service. `timeout_ms` without an answer is a refusal.

    With `fails_open` (lifted files alone) an error of the service, or no answer, counts as a yes.
    """

    name: AuthorizerName
    address: str
    protocol: str
    timeout_ms: int | None
    origin: Origin
    fails_open: bool = False


@dataclass(frozen=True, slots=True)
class Namespace:
    """Defaults of a namespace. `is_closed`: its undeclared workloads refuse everything."""

    name: str
    origin: Origin
    owner: str | None = None
    is_closed: bool = False
    files: tuple[str, ...] = ()
    observe: Exemption | None = None


@dataclass(frozen=True, slots=True)
class SourceSet:
    """A set of callers.

    `matches` reads `SourceIdentity` alone. `has_internet` adds callers without identity at gateways. `members` are
    the declared services and gateways that the set names (directly, by tag, namespace or zone); `shared` are
    declared ones that it does not name but whose identity it matches: a rule lets them in, a claim is refuted by
    them. `text` is the set as written, for messages.
    """

    matches: Predicate
    has_internet: bool
    members: tuple[NodeName, ...]
    shared: tuple[NodeName, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Destination:
    """A node and the workload ports of it that are meant, ascending; None is every port, declared or not."""

    node: NodeName
    ports: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Zone:
    """A named set: as source by identity, as destination by its declared members."""

    name: str
    sources: SourceSet
    destinations: tuple[NodeName, ...]
    origin: Origin
    purpose: str | None = None
