"""What becomes of requests where callers' own proxies are honest: whom those keep from what servers would let in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from meshproof.compiler.backend.transport import Unsent
from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Destination, SourceSet
from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.mtls import MtlsMode, effective_policy
from meshproof.compiler.ir.names import NodeName, RuleId
from meshproof.compiler.ir.predicate import Always, SourceIdentity, Test, disjunction
from meshproof.compiler.verify.translation_gaps import Compared, Gap


def as_sent(mesh: Mesh, unsent: Iterable[Unsent]) -> Mesh:
    """The mesh with a deny at each port for those whose proxies have no way to it: the cooperative judgement."""
    places: dict[tuple[NodeName, int], set[str]] = {}
    for one in unsent:
        places.setdefault((one.node, one.port), set()).add(one.identity)
    denies = (_deny(mesh, place, uris) for place, uris in sorted(places.items()))
    return replace(mesh, rules=tuple(sorted((*mesh.rules, *denies), key=lambda one: one.id)))


def _deny(mesh: Mesh, place: tuple[NodeName, int], uris: set[str]) -> AuthzRule:
    node, port = place
    callers = disjunction(tuple(Test(SourceIdentity(), Exact(uri)) for uri in sorted(uris)))
    return AuthzRule(
        id=RuleId(f"no way to {node}:{port}"),
        effect=Effect.DENY,
        sources=SourceSet(callers, has_internet=False, members=(), shared=(), text="whoever has no way there"),
        destinations=(Destination(node, (port,)),),
        operations=(),
        when=Always(),
        origin=mesh.origin,
    )


def unsent_gaps(about: Compared) -> Iterator[Gap]:
    """Ports without TLS to which somebody has no way: no rule tells who comes there, so all are to."""
    mesh = about.lifted
    names = {one.identity.uri: one.name for one in about.source.services}
    services = {one.name: one for one in mesh.services}
    to_old = {new: old for old, new in about.to_new.items()}
    for one in sorted(about.transport.unsent or (), key=lambda one: (one.node, one.port, one.identity)):
        service = services.get(one.node)
        if service is None or not about.part.has(to_old.get(one.node, one.node), one.port):
            continue
        found = effective_policy(mesh.mtls, service.name, service.namespace, one.port, about.day)
        if found is not None and found.mode is MtlsMode.DISABLED:
            caller = names.get(one.identity, one.identity)
            yield Gap(
                is_looser=False,
                place=f"{one.node}:{one.port}",
                subject=f"{caller} -> {one.node}:{one.port}",  # no loss of either explains it
                emitted=f"gives `{caller}` no way there by its own proxy",
                policy="lets everybody in",
            )
