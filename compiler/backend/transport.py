"""What files say of connections before anything of a request is judged, and what no mesh of the IR holds of it.

A lift tells it beside the mesh, so that what was emitted for a policy can be compared in this too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from meshproof.compiler.ir.names import NodeName


class TlsEnd(StrEnum):
    """How a gateway takes connections."""

    PLAIN = "plain"
    """Without TLS."""
    PASSED = "passed"
    """TLS goes through unread."""
    SERVER = "server"
    """The gateway ends TLS and asks for no certificate."""
    OPTIONAL = "optional"
    """The gateway ends TLS; a certificate that is shown is verified, and none is fine."""
    CLIENT = "client"
    """The gateway ends TLS, and only callers with a certificate of `client_ca` pass."""
    MESH = "mesh"
    """The gateway ends the mesh's own TLS: only callers with an identity of the mesh pass."""


@dataclass(frozen=True, slots=True)
class LiftedServer:
    """Where a gateway listens for a host. `number` is dialled, `workload` is the port of its pods.

    `binds` is the namespace whose routes may take the host, None if those of every namespace may.
    """

    gateway: NodeName
    number: int
    workload: int
    host: str
    binds: str | None
    end: TlsEnd
    certificate: str | None = None
    client_ca: str | None = None
    is_redirecting: bool = False


class ClientTls(StrEnum):
    """What the proxy of a sender does about TLS towards a destination."""

    MESH = "mesh"
    """It shows its identity wherever the destination takes it."""
    NONE = "none"
    """It sends as it is."""
    STARTED = "started"
    """It starts TLS of its own, without an identity of the mesh."""


@dataclass(frozen=True, slots=True)
class LiftedClient:
    """What senders of a namespace do towards a host, at the port that is dialled, for a version or (None) for all.

    Where nobody says anything of a service they show their identity, and nothing is told. `node` is a node behind the
    host. `names` are those of which one must be in the certificate that is shown; `is_checked` says that it must be of
    an authority that the system knows. `sni` is the name that is asked for.
    """

    namespace: str
    node: NodeName
    host: str
    number: int
    version: str | None
    tls: ClientTls
    names: tuple[str, ...] = ()
    is_checked: bool = False
    sni: str | None = None


@dataclass(frozen=True, slots=True)
class LiftedOutside:
    """A port of a host outside of the mesh: `number` is dialled, `reached` is where the connection goes.

    With `is_at_will` it goes to whatever address the sender writes; `elsewhere` are addresses that stand for the host.
    """

    node: NodeName
    host: str
    number: int
    reached: int
    is_at_will: bool = False
    elsewhere: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unsent:
    """A caller, by identity, who is let in at a service's port `port`, and whose own proxy has no way there."""

    node: NodeName
    port: int
    identity: str


@dataclass(frozen=True, slots=True)
class LiftedTransport:
    """All of it.

    `closed` are the declared senders whose proxies refuse what they do not know; `is_closed_elsewhere`
    says whether those of senders do that nobody declares. `unread` is what else stands in the files, is not in the
    lifted mesh, and is not plainly without effect. `handed_over` are ports whose connections go on as they come, TLS
    unread, to a companion of the target that the files set up for that service and port. `unsent` are those who are let
    in and do not get there by an honest proxy; None where the reader does not tell.
    """

    servers: tuple[LiftedServer, ...] = ()
    clients: tuple[LiftedClient, ...] = ()
    outside: tuple[LiftedOutside, ...] = ()
    closed: frozenset[NodeName] = frozenset()
    is_closed_elsewhere: bool = False
    unread: tuple[str, ...] = ()
    handed_over: frozenset[tuple[NodeName, int]] = frozenset()
    unsent: frozenset[Unsent] | None = None
