"""Who passes transport at what was emitted, against what the policy says: with an identity, without, and of strangers.

What is refused at a later step is compared here all the same: claims speak of what passes transport, and a rule that is
written tomorrow relies on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from meshproof.compiler.ir.entities import Layer, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.mtls import MtlsMode, PortScope, effective_policy
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.semantics import is_well_formed, passes_transport
from meshproof.compiler.verify.semantic_diff_values import DiffWitness
from meshproof.compiler.verify.translation_gaps import Compared, Gap

_SPARE_PORTS = range(49152, 65536)
_NOWHERE = NodeName("")
_WITHOUT = "callers without identity"
_WITH = "callers with an identity"
_UNDECLARED = "port that is not declared"


def workload_gaps(about: Compared) -> Iterator[Gap]:
    """What differs at services, at workloads that nobody declares, and in whose identities are verified."""
    services = {one.name for one in about.lifted.services}
    for service in about.source.services:
        if service.ports and about.to_new.get(service.name) in services:
            yield from _at_service(service, about)
    if not about.part.is_inside:
        yield from _around(about)
    yield from _strangers(about)


@dataclass(frozen=True, slots=True)
class _Port:
    number: int
    place: str
    protocol: RequestProtocol


def _at_service(service: Service, about: Compared) -> Iterator[Gap]:
    for port in (one for one in _ports(service, about) if about.part.has(service.name, one.number)):
        for identity, who in ((None, _WITHOUT), (_caller(about.source), _WITH)):
            request = _request(service.name, port, identity)
            was = _passes(about.source, request, about)
            new = replace(request, destination=about.to_new[service.name])
            now = _passes(about.lifted, new, about)
            if was == now:
                continue
            emitted, policy = ("lets {} pass transport", "refuses them") if now else ("refuses {}", "lets them pass")
            yield Gap(
                is_looser=now,
                place=port.place,
                subject=str(service.name),
                emitted=emitted.format(who),
                policy=policy,
                witness=about.shown(request),
            )


def _passes(mesh: Mesh, request: Request, about: Compared) -> bool:
    """Whether a connection stands: one that shows an identity where nobody has one does not exist."""
    return is_well_formed(mesh, request, about.day) is None and passes_transport(mesh, request, about.day)


def _ports(service: Service, about: Compared) -> Iterator[_Port]:
    """The declared ports, those that a statement of either side names, and one that stands for all others."""
    for port in service.ports:
        yield _Port(port.workload, f"{service.name}:{port.name}", _protocol(port.layer))
    declared = {port.workload for port in service.ports}
    named = {
        one.scope.port
        for mesh, name in ((about.source, service.name), (about.lifted, about.to_new[service.name]))
        for one in mesh.mtls
        if isinstance(one.scope, PortScope) and one.scope.service == name
    } - declared
    spare = next(port for port in _SPARE_PORTS if port not in declared | named)
    for number in (*sorted(named), spare):
        place = f"{service.name} ({_UNDECLARED})" if number == spare else f"{service.name}:{number}"
        yield _Port(number, place, RequestProtocol.TCP)


def _protocol(layer: Layer) -> RequestProtocol:
    return RequestProtocol.TCP if layer is Layer.TCP else RequestProtocol.HTTP


def _request(node: NodeName, port: _Port, identity: str | None) -> Request:
    found = Request(source=Peer(identity), destination=node, port=port.number, protocol=port.protocol)
    if port.protocol is RequestProtocol.TCP:
        return found
    return replace(found, method="GET", host=str(node), path="/")


def _caller(mesh: Mesh) -> str:
    """An identity of our trust domain, of somebody who is declared if somebody is."""
    ours = (one.identity for one in mesh.services if one.identity.trust_domain == mesh.trust_domain)
    return next((one.uri for one in ours), f"spiffe://{mesh.trust_domain}/ns/a/sa/a")


def _around(about: Compared) -> Iterator[Gap]:
    """Workloads that nobody declares: those of a closed namespace refuse all, and others are as they were before."""
    closed, shut = ({one.name for one in mesh.namespaces if one.is_closed} for mesh in (about.source, about.lifted))
    for name in sorted({*closed, *(one.name for one in about.lifted.namespaces)}):
        policy = effective_policy(about.lifted.mtls, _NOWHERE, name, 0, about.day)
        mode = MtlsMode.PERMISSIVE if policy is None else policy.mode
        place = f"undeclared workloads of namespace {name}"
        if name in closed and mode is not MtlsMode.STRICT:
            emitted, policy_says = f"lets {_WITHOUT} pass transport", "refuses everybody"
            yield Gap(is_looser=True, place=place, subject=name, emitted=emitted, policy=policy_says)
        if name not in closed and name in shut:
            emitted, policy_says = "refuses everybody", "says nothing of them"
            yield Gap(is_looser=False, place=place, subject=name, emitted=emitted, policy=policy_says)
        if name not in closed and mode is not MtlsMode.PERMISSIVE:
            emitted, policy_says = f"makes mutual TLS {mode}", "says nothing of them"
            is_looser = mode is MtlsMode.DISABLED
            yield Gap(is_looser=is_looser, place=place, subject=name, emitted=emitted, policy=policy_says)


def _strangers(about: Compared) -> Iterator[Gap]:
    """Trust domains that are verified and that the policy does not name.

    Those that it trusts besides its own are verified once their authorities are configured, which no emitted file does.
    """
    source, lifted = about.source, about.lifted
    ours = {source.trust_domain, *source.aliases}
    theirs = {lifted.trust_domain, *lifted.aliases, *lifted.trusts}
    for domain in sorted(theirs - ours - {*source.trusts}):
        yield Gap(
            is_looser=True,
            place="the mesh",
            subject=domain,
            emitted=f"verifies identities of `{domain}`",
            policy="trusts no such domain",
            witness=_stranger(domain, about),
        )
    for domain in sorted(ours - theirs):
        emitted, policy = f"refuses identities of `{domain}`", "names it as its own"
        yield Gap(is_looser=False, place="the mesh", subject=domain, emitted=emitted, policy=policy)


def _stranger(domain: str, about: Compared) -> DiffWitness | None:
    """A caller of the domain where there is a port at which it passes."""
    for service in about.source.services:
        for declared in service.ports if service.name in about.to_new else ():
            port = _Port(declared.workload, "", _protocol(declared.layer))
            request = _request(service.name, port, f"spiffe://{domain}/ns/other/sa/other")
            if _passes(about.lifted, replace(request, destination=about.to_new[service.name]), about):
                return about.shown(request)
    return None
