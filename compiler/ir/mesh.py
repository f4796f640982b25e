"""A whole policy in one environment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from meshproof.compiler.ir.assertions import Prove, TestBlock, Waiver
from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.entities import (
    Authorizer,
    External,
    Gateway,
    Issuer,
    Namespace,
    Node,
    Service,
    Zone,
)
from meshproof.compiler.ir.judgement import Judgement
from meshproof.compiler.ir.mtls import MtlsPolicy
from meshproof.compiler.ir.names import NodeName, Origin
from meshproof.compiler.ir.routing import Route


class Egress(StrEnum):
    """Whether declared services call outside only what a rule allows."""

    CLOSED = "closed"
    OPEN = "open"


class PathMode(StrEnum):
    """How the path that was sent becomes the one that is judged: as the language says, or as Istio's proxies do.

    The others are the values of `pathNormalization.normalization` in Istio's mesh configuration; lifted meshes alone
    have them.
    """

    LANGUAGE = "language"
    NONE = "NONE"
    BASE = "BASE"
    MERGE_SLASHES = "MERGE_SLASHES"
    DECODE_AND_MERGE_SLASHES = "DECODE_AND_MERGE_SLASHES"


@dataclass(frozen=True, slots=True)
class Mesh:
    """Everything that was said, with every name resolved and every default filled in, for one environment.

    Each tuple is sorted by name (mTLS statements by scope), so that equal policies are equal values but for origins.
    `trust_domain` is ours, `aliases` are ours too, `trusts` are foreign domains whose identities are verified.
    No identity in a mesh is of an alias: whoever judges a request reads an alias in it as `trust_domain` (ADR 0040).

    Meshes that were read from files say what their reader takes for granted, each of `premises` a clause, at which
    `proxy_ports` proxies answer by themselves, under no policy, and by whom what they refuse is kept: what is
    cooperative nobody enforces.
    """

    name: str
    language: int
    trust_domain: str
    namespace: str | None
    origin: Origin
    environment: str | None = None
    aliases: tuple[str, ...] = ()
    trusts: tuple[str, ...] = ()
    egress: Egress | None = None
    namespaces: tuple[Namespace, ...] = ()
    services: tuple[Service, ...] = ()
    gateways: tuple[Gateway, ...] = ()
    externals: tuple[External, ...] = ()
    issuers: tuple[Issuer, ...] = ()
    authorizers: tuple[Authorizer, ...] = ()
    zones: tuple[Zone, ...] = ()
    rules: tuple[AuthzRule, ...] = ()
    routes: tuple[Route, ...] = ()
    mtls: tuple[MtlsPolicy, ...] = ()
    proofs: tuple[Prove, ...] = ()
    tests: tuple[TestBlock, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    paths: PathMode = PathMode.LANGUAGE
    premises: tuple[str, ...] = ()
    proxy_ports: tuple[int, ...] = ()
    judgement: Judgement = Judgement.ENFORCED

    @property
    def is_lifted(self) -> bool:
        """Whether it was read from files of a mesh: then nobody wrote it in the language; paths are its proxies'."""
        return self.paths is not PathMode.LANGUAGE

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Services, gateways and externals."""
        return (*self.services, *self.gateways, *self.externals)

    def node(self, name: NodeName) -> Node | None:
        """The service, gateway or external of that name. Linear: index it where that matters."""
        return next((node for node in self.nodes if node.name == name), None)
