"""Which connections need a verified identity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from meshproof.compiler.ir.names import NodeName, Origin


class MtlsMode(StrEnum):
    """`strict` needs mTLS, `permissive` takes either, `disabled` knows plaintext alone."""

    STRICT = "strict"
    PERMISSIVE = "permissive"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class MeshScope:
    """Every declared service."""


@dataclass(frozen=True, slots=True)
class NamespaceScope:
    """Every declared service of a namespace."""

    namespace: str


@dataclass(frozen=True, slots=True)
class ServiceScope:
    """Every port of a service."""

    service: NodeName


@dataclass(frozen=True, slots=True)
class PortScope:
    """One workload port of a service; in lifted meshes of a gateway too, whose servers each end TLS in their way."""

    service: NodeName
    port: int


MtlsScope = MeshScope | NamespaceScope | ServiceScope | PortScope


@dataclass(frozen=True, slots=True)
class MtlsPolicy:
    """One statement; a permissive or disabled one is out of force after `until`.

    `is_told`: who calls is told by something else than a certificate, so that an identity is no sign of mTLS. Meshes
    that were read from files alone have that, where callers are taken to be honest.
    """

    scope: MtlsScope
    mode: MtlsMode
    origin: Origin
    because: str | None = None
    owner: str | None = None
    until: date | None = None
    is_told: bool = False

    def is_in_force(self, day: date) -> bool:
        """Whether the statement counts on `day`."""
        return self.mode is MtlsMode.STRICT or self.until is None or day <= self.until


def edge_policy(policies: tuple[MtlsPolicy, ...], gateway: NodeName, port: int) -> MtlsPolicy | None:
    """The statement for a port of a gateway, or None: then it takes callers with and without identity."""
    scope = PortScope(gateway, port)
    return next((policy for policy in policies if policy.scope == scope), None)


def effective_policy(
    policies: tuple[MtlsPolicy, ...],
    service: NodeName,
    namespace: str,
    port: int,
    day: date,
) -> MtlsPolicy | None:
    """The closest statement in force (port, service, namespace, mesh), or None: then the mode is strict."""
    order = (
        PortScope(service, port),
        ServiceScope(service),
        NamespaceScope(namespace),
        MeshScope(),
    )
    for scope in order:
        for policy in policies:
            if policy.scope == scope and policy.is_in_force(day):
                return policy
    return None
