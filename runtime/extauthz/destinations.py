"""What an authorizer is asked about, and whether it can be told enough to decide there as the policy says."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.ir.entities import External, Gateway, Layer, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import (
    Attribute,
    Claim,
    Header,
    Host,
    Method,
    Path,
    Port,
    Query,
    SourceIdentity,
    TokenAudience,
    TokenIssuer,
    TokenPresenter,
    TokenSubject,
    attributes_of,
)
from meshproof.runtime.tokens.places import header_of

_ALWAYS = frozenset({"authorization"})
"""What an Envoy forwards to an `http_service` whatever is listed."""

_PREFLIGHT = frozenset({"origin", "access-control-request-method"})
"""What tells a preflight, whose token nobody looks at. Where it is not forwarded, its token must be valid."""


class DestinationError(Exception):
    """The policy cannot be kept at a destination by being asked. The message is one lower-case sentence."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A port of a service, told by the `path_prefix` that its Envoy puts before the path of each request.

    Over gRPC its Envoy says the same as a context extension. `headers` are those that this Envoy forwards, in lower
    case. `takes_plaintext`: a caller without a certificate is asked about as such; else a request that does not say
    who calls is refused. `verified_payload`: this Envoy verifies tokens itself, and keeps their claims under that key.
    """

    path_prefix: str
    service: str
    port: int
    headers: tuple[str, ...] = ()
    takes_plaintext: bool = False
    verified_payload: str | None = None


def headers_read(mesh: Mesh, destination: Destination, *, verifies_tokens: bool) -> frozenset[str]:
    """The headers that rules for the destination read, and those in which tokens are looked for.

    Raises `DestinationError` where the policy reads what an Envoy does not tell an authorizer, or not this one: an
    attribute that seems absent would let a deny pass.
    """
    name = NodeName(destination.service)
    node = mesh.node(name)
    if node is None or isinstance(node, External):
        raise DestinationError(f"the policy declares no service or gateway `{name}`")
    if not any(port.workload == destination.port and port.layer is Layer.HTTP for port in node.ports):
        raise DestinationError(f"`{name}` has no port `{destination.port}` of its workload that speaks HTTP")
    found = _headers_of_tokens(mesh, node, destination, verifies_tokens=verifies_tokens)
    for rule in mesh.rules:
        if any(one.node == name and (one.ports is None or destination.port in one.ports) for one in rule.destinations):
            for attribute in attributes_of(rule.content):
                if (header := _header(attribute, str(rule.id))) is not None:
                    found.add(header)
    for header in sorted(found - _ALWAYS - set(destination.headers)):
        raise DestinationError(
            f"what `{name}` accepts reads the header `{header}`, which is not among its `headers`;"
            " add it there, and to what its Envoy forwards"
        )
    return frozenset(found | (_PREFLIGHT if node.accepts else set()))


def unasked(mesh: Mesh, destinations: tuple[Destination, ...]) -> tuple[str, ...]:
    """A sentence for each rule that asks another authorizer about requests to a destination, whom nobody asks here."""
    return tuple(
        f"rule `{rule.id}` asks `{rule.authorizer}`, whom this authorizer does not ask, so what it meets at"
        f" `{one.path_prefix}` is refused; compile the policy for it without the rule, and let its Envoy ask both"
        for one in destinations
        for rule in mesh.rules
        if rule.authorizer is not None
        and any(to.node == one.service and (to.ports is None or one.port in to.ports) for to in rule.destinations)
    )


def _headers_of_tokens(
    mesh: Mesh, node: Service | Gateway, destination: Destination, *, verifies_tokens: bool
) -> set[str]:
    """Where tokens stand that are verified here. Raises `DestinationError` where none of them would be."""
    if not node.accepts:
        return set()
    if not verifies_tokens and destination.verified_payload is None:
        raise DestinationError(f"`{node.name}` accepts tokens, and `tokens` has not the keys of all of its issuers")
    issuers = [one for one in mesh.issuers if one.name in node.accepts]
    for issuer in issuers:
        if issuer.is_stripped:
            raise DestinationError(f"tokens of `{issuer.name}` are taken off by the policy, which no authorizer does")
    if destination.verified_payload is not None:
        return set()
    return {header for issuer in issuers if (header := header_of(issuer.place)) is not None}


def _header(attribute: Attribute, rule: str) -> str | None:
    match attribute:
        case Header(name):
            return name
        case SourceIdentity() | Method() | Path() | Host() | Port() | Query():
            return None
        case TokenIssuer() | TokenSubject() | TokenAudience() | TokenPresenter() | Claim():
            return None  # a destination that accepts no tokens has requests without any
        case _:
            said = type(attribute).__name__
            raise DestinationError(
                f"rule `{rule}` reads `{said}`, which an Envoy does not tell an authorizer;"
                " take it out of the rule, or this destination out of the settings"
            )
