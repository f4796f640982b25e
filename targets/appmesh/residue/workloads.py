"""What the network has to know of workloads: their pods, the ports at which their proxies listen, and for whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from meshproof.targets.appmesh.naming import NOBODY

Labels = tuple[tuple[str, str], ...]


class Kind(StrEnum):
    """What a workload is: two of one name are told apart by it."""

    SERVICE = "service"
    GATEWAY = "gateway"
    GATE = "gate"


@dataclass(frozen=True, slots=True)
class Opening:
    """A port at which a proxy listens, for callers with one of these identities; None is for anybody."""

    port: int
    callers: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Workload:
    """Pods with these `labels` at least, and the openings of their proxy, one a port. `identity` is a SPIFFE ID."""

    kind: Kind
    name: str
    namespace: str
    labels: Labels
    identity: str
    openings: tuple[Opening, ...]

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports, sorted."""
        return tuple(sorted({one.port for one in self.openings}))


def openings(listeners: Iterable[Any]) -> tuple[Opening, ...]:
    """The openings of listeners of a node or gateway, sorted by port."""
    return tuple(sorted((Opening(one.port_mapping.port, _callers(one.tls)) for one in listeners), key=_port))


def _port(one: Opening) -> int:
    return one.port


def _callers(tls: Any) -> frozenset[str] | None:  # noqa: ANN401  of a node or a gateway
    """Whoever is named; where plaintext is taken, or no name is asked for, anybody comes in."""
    validation = None if tls is None or tls.mode != "STRICT" else tls.validation
    names = None if validation is None else validation.subject_alternative_names
    return None if names is None or not names.match.exact else frozenset(names.match.exact) - {NOBODY}
