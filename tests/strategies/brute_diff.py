"""What differs between two policies, by trying every request: one for each combination of classes, each decided and
routed by the interpreter on both sides. Only the division into classes is the solver's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import product
from math import prod

from tests.strategies.brute import TooLarge

from meshproof.compiler.ir.entities import Layer, ServicePort
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.semantics import Facts, MalformedRequest, decide, facts_of, holds, route
from meshproof.compiler.smt.callers import members
from meshproof.compiler.smt.joint_request import JointRequest, joint_request_at
from meshproof.compiler.smt.solver import Limits
from meshproof.compiler.verify.correspondence import by_name
from meshproof.compiler.verify.semantic_diff import place_of
from meshproof.compiler.verify.semantic_diff_callers import STRANGERS
from meshproof.compiler.verify.semantic_diff_compare import Comparing, PortComparison
from meshproof.compiler.verify.semantic_diff_ports import PortPair, Sides
from meshproof.compiler.verify.semantic_diff_routes import replayed_routing
from meshproof.compiler.verify.semantic_diff_values import Meaning, Place


@dataclass(frozen=True, slots=True)
class Tried:
    """One request, and what is done with it by either side."""

    request: JointRequest
    was_allowed: bool
    is_allowed: bool
    is_rerouted: bool

    @property
    def is_newly_allowed(self) -> bool:
        return self.is_allowed and not self.was_allowed

    @property
    def is_newly_denied(self) -> bool:
        return self.was_allowed and not self.is_allowed


@dataclass(frozen=True, slots=True)
class TriedPort:
    """Every request to one port of both sides."""

    place: Place
    pair: PortPair
    tried: tuple[Tried, ...]


def try_all(old: Mesh, new: Mesh, day: date, most: int) -> Iterator[TriedPort]:
    """Every port of nodes of both sides, also those at which nothing has changed. Raises TooLarge."""
    correspondence = by_name(old, new)
    sides = Sides(old, new, day, correspondence, audits=False)
    about = Comparing((old, new), sides.origins, day, correspondence.to_new, Limits(), 40)
    for pair in sides.every_pair():
        comparison = PortComparison(pair.old, pair.new, place_of(pair.old, pair.new), about)
        yield TriedPort(place_of(pair.old, pair.new), pair, tuple(_tried(comparison, pair, most)))


def _tried(comparison: PortComparison, pair: PortPair, most: int) -> Iterator[Tried]:
    joint, about = comparison.joint, comparison.about
    environment, formulas = joint.environment, joint.formulas
    if prod(formulas.sizes) * max(group.bit_count() for group in environment.local) > most:
        raise TooLarge
    for point in product(*map(range, formulas.sizes)):
        if not all(formulas.holds(axiom, point) for axiom in environment.axioms):
            continue
        for caller in members(environment.local[point[environment.caller]]):
            request = joint_request_at(joint, point, caller)
            was = _is_allowed(about.meshes[0], request.old, pair.old.layer, about.day)
            now = _is_allowed(about.meshes[1], request.new, pair.new.layer, about.day)
            if was is None or now is None:
                yield Tried(request, bool(was), bool(now), is_rerouted=False)
                continue
            before = replayed_routing(about.meshes[0], request.old, about.day, about.to_new)
            after = replayed_routing(about.meshes[1], request.new, about.day, {})
            yield Tried(request, was, now, before != after and (was or now or not _is_plain(about, request)))


def _is_plain(about: Comparing, request: JointRequest) -> bool:
    """Whether both sides send the request on as it is, and nothing besides."""
    sides = ((about.meshes[0], request.old), (about.meshes[1], request.new))
    found = [route(mesh, sent, about.day) for mesh, sent in sides]
    return not any(
        one is not None
        and (one.path is not None or one.headers or one.redirect or (one.mirror is not None and one.mirror.percent))
        for one in found
    )


def _is_allowed(mesh: Mesh, request: Request, layer: Layer, day: date) -> bool | None:
    """None for a connection that is no request, at a port of requests."""
    try:
        return decide(mesh, request, day).is_allowed
    except MalformedRequest:
        assert layer is Layer.HTTP
        assert request.protocol is RequestProtocol.TCP
        return None


def is_meant(meaning: Meaning, sources: tuple[str, ...], request: JointRequest, mesh: Mesh, day: date) -> bool:
    """Whether a region takes a request, told by the interpreter from what the region says."""
    sent = request.sent
    answers = dict(sent.answers)
    if is_stranger(sent, mesh) and STRANGERS not in sources:
        return False
    is_tcp = sent.protocol is RequestProtocol.TCP
    if meaning.layer is not None and (meaning.layer is Layer.TCP) is not is_tcp:
        return False
    if meaning.has_unreadable_token is not None:
        is_unreadable = sent.token is not None and not sent.token.is_valid
        if is_unreadable is not meaning.has_unreadable_token:
            return False
    if any(answers[name] is not answer for name, answer in meaning.answers):  # type: ignore[index]
        return False
    facts = _facts(request, mesh, day)
    return holds(meaning.sources, facts) and holds(meaning.content, facts)


def is_stranger(request: Request, mesh: Mesh) -> bool:
    """Whether no handshake of the caller's identity is verified."""
    uri = request.source.identity
    domains = (mesh.trust_domain, *mesh.aliases, *mesh.trusts)
    return uri is not None and not uri.startswith(tuple(f"spiffe://{domain}/" for domain in domains))


def _facts(request: JointRequest, mesh: Mesh, day: date) -> Facts:
    """The facts of the request as it is sent, at a destination that sees all of it."""
    name = request.new.destination
    issuers = tuple(issuer.name for issuer in mesh.issuers)

    wide = replace(
        mesh,
        services=tuple(
            replace(one, ports=_sniffed(one.ports), accepts=issuers) if one.name == name else one
            for one in mesh.services
        ),
        gateways=tuple(
            replace(one, ports=_sniffed(one.ports), accepts=issuers) if one.name == name else one
            for one in mesh.gateways
        ),
        externals=tuple(replace(one, ports=_sniffed(one.ports)) for one in mesh.externals),
        mtls=(),
    )
    sent = replace(request.sent, destination=name, source=Peer(request.sent.source.identity, request.sent.source.ip))
    client = () if sent.client_ip is None else (sent.client_ip,)  # also of a caller that is a gateway to one side alone
    return replace(facts_of(wide, sent, day), client_ip=client)


def _sniffed(ports: tuple[ServicePort, ...]) -> tuple[ServicePort, ...]:
    return tuple(replace(port, layer=Layer.SNIFFED) for port in ports)
