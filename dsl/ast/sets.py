"""Sets of callers and destinations: one algebra for rules, zones, conditions and claims.

The parser guarantees: `AtPort` stands in destinations only; `Identity`, `Authenticated`, `Plaintext`, `Anyone` and
`Internet` never stand in a destination; operands of `Except`, `Union` and `Intersection` are never operators
themselves (they would need braces, and braces are a `Braces`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from meshproof.dsl.ast.node import Node
from meshproof.dsl.ast.values import Name, PortRef, StringValue


@dataclass(frozen=True, slots=True)
class Named(Node):
    """A service, gateway, external or zone by its name."""

    name: Name


@dataclass(frozen=True, slots=True)
class NamespaceSet(Node):
    """`namespace N [of "trust.domain"]`; without a domain it is ours."""

    namespace: Name
    trust_domain: StringValue | None = None


@dataclass(frozen=True, slots=True)
class Tagged(Node):
    """`tagged T`: every declaration with that tag."""

    tag: Name


@dataclass(frozen=True, slots=True)
class Identity(Node):
    """`identity "spiffe://d/a/*"`: one identity, or with a last `/*` everything below."""

    uri: StringValue


@dataclass(frozen=True, slots=True)
class AllServices(Node):
    """`all`: every declared service."""


@dataclass(frozen=True, slots=True)
class Authenticated(Node):
    """`authenticated`: any verified identity, foreign trusted domains and gateways included."""


@dataclass(frozen=True, slots=True)
class Plaintext(Node):
    """`plaintext`: every caller without identity."""


@dataclass(frozen=True, slots=True)
class Anyone(Node):
    """`anyone`: `authenticated` and `plaintext`."""


@dataclass(frozen=True, slots=True)
class Internet(Node):
    """`internet`: every caller without identity that comes to a gateway."""


@dataclass(frozen=True, slots=True)
class Braces(Node):
    """`{ A, B }`: what is in any of them; never empty."""

    items: tuple[SetExpression, ...]


@dataclass(frozen=True, slots=True)
class AtPort(Node):
    """`A:PORT`: of the destinations in `base`, that port."""

    base: PrimarySet
    port: PortRef


@dataclass(frozen=True, slots=True)
class Except(Node):
    """`A except B`."""

    base: SetTerm
    removed: SetTerm


@dataclass(frozen=True, slots=True)
class Union(Node):
    """`A or B …`, two operands at least."""

    operands: tuple[SetTerm, ...]


@dataclass(frozen=True, slots=True)
class Intersection(Node):
    """`A and B …`, two operands at least."""

    operands: tuple[SetTerm, ...]


PrimarySet: TypeAlias = (
    Named | NamespaceSet | Tagged | Identity | AllServices | Authenticated | Plaintext | Anyone | Internet | Braces
)
SetTerm: TypeAlias = PrimarySet | AtPort
SetExpression: TypeAlias = SetTerm | Except | Union | Intersection

SOURCE_ONLY = (Identity, Authenticated, Plaintext, Anyone, Internet)
"""The sets that are never destinations."""
