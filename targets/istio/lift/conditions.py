"""The keys that a `when` condition of an AuthorizationPolicy can have."""

from __future__ import annotations

import re
from dataclasses import dataclass

from meshproof.compiler.ir.predicate import (
    Attribute,
    Claim,
    DestinationIp,
    Header,
    Method,
    Port,
    RawAuthority,
    RemoteIp,
    Sni,
    SourceIp,
    TokenAudience,
    TokenPresenter,
)

SOURCE_PRINCIPAL = "source.principal"
SOURCE_NAMESPACE = "source.namespace"
SOURCE_ACCOUNT = "source.serviceAccount"
SOURCE_TRUST_DOMAIN = "source.trustDomain"
REQUEST_PRINCIPAL = "request.auth.principal"

IDENTITY_KEYS = frozenset((SOURCE_PRINCIPAL, SOURCE_NAMESPACE, SOURCE_ACCOUNT, SOURCE_TRUST_DOMAIN))
"""Keys that read the peer's SPIFFE ID."""

ADDRESS_KEYS = frozenset(("source.ip", "remote.ip", "destination.ip"))

_FILTERS = "experimental.envoy.filters."
_HEADERS = "request.headers"
_CLAIMS = "request.auth.claims"
_SIMPLE: dict[str, Attribute] = {
    "source.ip": SourceIp(),
    "remote.ip": RemoteIp(),
    "destination.ip": DestinationIp(),
    "destination.port": Port(),
    "connection.sni": Sni(),
    "request.auth.audiences": TokenAudience(),
    "request.auth.presenter": TokenPresenter(),
}
_NESTED = re.compile(r"\[([^\[\]]+)\]")


@dataclass(frozen=True, slots=True)
class Unmodelled:
    """A key that Istio knows and that is not modelled here."""

    field: str


def is_known(key: str) -> bool:
    """Whether Istio takes the key; of keys with brackets also whether they have the form that they need."""
    if key in _SIMPLE or key in IDENTITY_KEYS or key == REQUEST_PRINCIPAL:
        return True
    if not key.startswith((_HEADERS, _CLAIMS, _FILTERS)):
        return False
    opened = key.find("[")
    return key.endswith("]") and 0 < opened < len(key) - 2


def attribute_of(key: str) -> Attribute | Unmodelled | None:
    """What a key that is known reads, None for the keys that read identities: those have patterns of their own."""
    if key in _SIMPLE:
        return _SIMPLE[key]
    if key.startswith(f"{_HEADERS}["):
        return _header(key[len(_HEADERS) + 1 : -1].lower())
    if key.startswith(f"{_CLAIMS}["):
        return Claim(_claim_path(key[len(_CLAIMS) :]))
    if key in IDENTITY_KEYS or key == REQUEST_PRINCIPAL:
        return None
    return Unmodelled(key)


def _header(name: str) -> Attribute | Unmodelled:
    """Envoy keeps `host` and `:authority` as one; of other pseudo headers all but `:method` are not modelled."""
    if name in {"host", ":authority"}:
        return RawAuthority()
    if name == ":method":
        return Method()
    return Unmodelled(f"{_HEADERS}[{name}]") if name.startswith(":") else Header(name)


def _claim_path(brackets: str) -> tuple[str, ...]:
    """`[a][b]` leads through two names; what has another form is one name, all that is inside the outer brackets."""
    parts = _NESTED.findall(brackets)
    return tuple(parts) if "".join(f"[{part}]" for part in parts) == brackets else (brackets[1:-1],)


def is_address(attribute: Attribute) -> bool:
    """Whether the attribute is an address."""
    return isinstance(attribute, SourceIp | RemoteIp | DestinationIp)
