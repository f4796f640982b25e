"""What the proxy of a node does with a call of its workload: where it leads, and as whom it connects there.

Source: App Mesh API reference (`Backend`, `ClientPolicyTls`); App Mesh user guide, "Transport Layer Security".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import Origin
from meshproof.targets.appmesh.lift.composed.hops import Hop
from meshproof.targets.appmesh.lift.found import Found
from meshproof.targets.appmesh.lift.identities import names_in
from meshproof.targets.appmesh.model.virtual_node import ClientPolicyTls, VirtualNode

_SCHEME = "spiffe://"


@dataclass(frozen=True, slots=True)
class Call:
    """A way from a node: `service` is dialled at `dialled`, and it ends at the listener of `node` on `port`."""

    service: str
    dialled: int
    node: str
    port: int
    tls: ClientPolicyTls | None

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS is spoken: on the ports that the policy names, or on all."""
        return self.tls is not None and (self.tls.ports is None or self.dialled in self.tls.ports)

    @property
    def is_clear(self) -> bool:
        """Whether it does not matter which of its two ports a client policy means."""
        ports = None if self.tls is None else self.tls.ports
        return ports is None or (self.dialled in ports) is (self.port in ports)

    @property
    def names(self) -> frozenset[str]:
        """The names of which a server must show one; none if any of the authority is taken."""
        return frozenset(() if self.tls is None else names_in(self.tls.validation))

    def trusts(self, trust_domain: str) -> bool:
        """Whether it is the mesh's own authority that a server's certificate must be of; if TLS is spoken."""
        return self.tls is None or _trusts(self.tls.validation.trust, trust_domain)

    def connects(self, mode: MtlsMode, answering: frozenset[str], trust_domain: str) -> bool:
        """Whether a listener in that mode takes the connection, and the proxy takes all that answer there."""
        if self.tls is None or not self.is_encrypted:
            return mode is not MtlsMode.STRICT
        return (
            mode is not MtlsMode.DISABLED
            and self.tls.certificate is not None
            and (not self.names or answering <= self.names)
            and self.trusts(trust_domain)
        )


@dataclass(frozen=True, slots=True)
class Calls:
    """The ways that one backend of a node opens; none if its virtual service leads nowhere."""

    service: str
    every: tuple[Call, ...]
    origin: Origin


def calls_of(node: Found[VirtualNode], hops: Iterable[Hop]) -> Iterator[Calls]:
    """What each backend of the node leads to. A proxy connects to nothing else by a name of the mesh."""
    spec = node.value.spec
    default = None if spec.backend_defaults is None else spec.backend_defaults.client_policy
    for index, backend in enumerate(spec.backends or ()):
        called = backend.virtual_service
        if called is None:
            continue
        policy = default if called.client_policy is None else called.client_policy
        name, tls = called.virtual_service_name, None if policy is None else policy.tls
        every = (
            Call(name, hop.dialled, to, port, tls)
            for hop in hops
            if hop.service == name
            for step in hop.steps
            for to, port, _ in step.shares
        )
        yield Calls(name, tuple(dict.fromkeys(every)), node.place("spec", "backends", index))


def _trusts(trust: Any, trust_domain: str) -> bool:  # noqa: ANN401  of a client's validation
    """Whether it is the mesh's own authority; files hold that of each proxy's own mesh."""
    if trust.sds is not None:
        return bool(trust.sds.secret_name.removeprefix(_SCHEME) == trust_domain)
    return trust.file is not None
