"""Paths, mirrors and attempts, by trying every request and following every edge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from tests.strategies.brute import Judged, World
from tests.strategies.sources import takes

from meshproof.compiler.ir.assertions import Assumption, AtMostAttempts, IsIsolated, NoMirrorLeaves, NoPath
from meshproof.compiler.ir.entities import Destination, External, Gateway, Service, SourceSet
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.routing import Branch, Route
from meshproof.compiler.semantics import route as routed
from meshproof.compiler.semantics.handshake import canonical_identity
from meshproof.compiler.smt.policy import PortKey

Vertex = tuple[str, str]
"""`declared` and a name, `station` and an identity (empty without), or `internet`."""

INTERNET: Vertex = ("internet", "")


def edges(world: World) -> dict[tuple[Vertex, Vertex, PortKey | None], int]:
    """Every edge with the attempts that its sender may make. A mirror's edge has no port."""
    found: dict[tuple[Vertex, Vertex, PortKey | None], int] = {}
    everyone = vertices(world)
    for key, judged in world.judged.items():
        for vertex in everyone:
            sent = [one for one in judged if one.is_allowed and _may_send(world, vertex, one)]
            if sent and _forwards(world, vertex, key):
                attempts = _attempts(world, vertex, key)
                found[vertex, ("declared", str(key.node)), key] = attempts
        for branch in mirrors_at(world, key):
            mirror = branch.settings.mirror
            if mirror is not None:
                found[("declared", str(key.node)), ("declared", str(mirror.target.node)), None] = 1
    return found


def senders(world: World) -> list[Service | Gateway]:
    return [*world.mesh.services, *world.mesh.gateways]


def vertices(world: World) -> list[Vertex]:
    declared = [("declared", str(name)) for name in world.nodes]
    return [*declared, INTERNET, *stations(world)]


def stations(world: World) -> list[Vertex]:
    """The undeclared callers that are let in somewhere, without identity only behind a gateway."""
    named = {canonical_identity(world.mesh, node.identity).uri for node in senders(world)}
    found: dict[Vertex, None] = {}
    for key, judged in world.judged.items():
        for one in judged:
            identity = one.facts.identity
            is_outside = identity is None and isinstance(world.nodes[key.node], Gateway)
            if one.is_allowed and identity not in named and not is_outside:
                found["station", identity or ""] = None
    return list(found)


def _may_send(world: World, vertex: Vertex, one: Judged) -> bool:
    kind, name = vertex
    node = world.nodes[one.key.node]
    if kind == "internet":
        return isinstance(node, Gateway) and one.facts.identity is None
    if kind == "declared" and isinstance(world.nodes[NodeName(name)], External):
        return False
    if world.mode(one.key) is MtlsMode.DISABLED:
        return True
    if kind == "station":
        return one.facts.identity == (name or None)
    sender = world.nodes[NodeName(name)]
    return (
        not isinstance(sender, External) and one.facts.identity == canonical_identity(world.mesh, sender.identity).uri
    )


def _forwards(world: World, vertex: Vertex, key: PortKey) -> bool:
    kind, name = vertex
    if kind != "declared" or not isinstance(world.nodes[NodeName(name)], Gateway) or world.is_external(key):
        return True
    return any(_leads(route, branch, key) for route, branch in branches_to(world, name))


def _leads(route: Route, branch: Branch, key: PortKey) -> bool:
    return any(
        target.node == key.node and target.port in {None, key.port} and (target.weight or route.weights_by is not None)
        for target in branch.targets
    )


def branches_to(world: World, name: str) -> list[tuple[Route, Branch]]:
    return [(route, branch) for route in world.mesh.routes if route.node == name for branch in route.branches]


def _takes(world: World, one: Judged, branch: Branch) -> bool:
    outcome = routed(world.mesh, one.request, world.day)
    return outcome is not None and outcome.branch == branch.id


def mirrors_at(world: World, key: PortKey) -> list[Branch]:
    return [
        branch
        for _, branch in branches_to(world, str(key.node))
        if branch.settings.mirror is not None
        and branch.settings.mirror.percent
        and any(_takes(world, one, branch) for one in world.judged[key])
    ]


def _attempts(world: World, vertex: Vertex, key: PortKey) -> int:
    kind, name = vertex
    found = [1]
    if kind == "declared" and isinstance(world.nodes[NodeName(name)], Gateway):
        for route, branch in branches_to(world, name):
            taken = (one for other in world.judged if str(other.node) == name for one in world.judged[other])
            if (
                branch.settings.retry
                and _leads(route, branch, key)
                and any(_takes(world, one, branch) for one in taken)
            ):
                found.append(1 + branch.settings.retry.attempts)
        return max(found)
    if isinstance(world.nodes[key.node], Gateway):
        return 1
    for _, branch in branches_to(world, str(key.node)):
        is_changed = branch.settings.rewrite_path is not None or branch.settings.headers
        sent = [one for one in world.judged[key] if _may_send(world, vertex, one) and _takes(world, one, branch)]
        if branch.settings.retry and branch.targets and any(is_changed or one.is_allowed for one in sent):
            found.append(1 + branch.settings.retry.attempts)
    return max(found)


def starts(world: World, sources: SourceSet) -> set[Vertex]:
    found: set[Vertex] = {("declared", str(name)) for name in (*sources.members, *sources.shared)}
    for node in senders(world):
        identity = canonical_identity(world.mesh, node.identity)
        trusted = {world.mesh.trust_domain, *world.mesh.trusts}
        if identity.trust_domain in trusted and takes(sources.matches, identity.uri):
            found.add(("declared", str(node.name)))
    found.update(station for station in stations(world) if takes(sources.matches, station[1] or None))
    return found | ({INTERNET} if sources.has_internet else set())


def gone(world: World, sources: SourceSet | None) -> set[Vertex]:
    if sources is None:
        return set()
    found: set[Vertex] = {("declared", str(name)) for name in sources.members}
    found.update(station for station in stations(world) if takes(sources.matches, station[1] or None))
    return found | ({INTERNET} if sources.has_internet else set())


def unreachable(world: World, assumptions: Iterable[Assumption]) -> set[Vertex]:
    return {
        station
        for assumption in assumptions
        if assumption.until is None or world.day <= assumption.until
        for station in stations(world)
        if takes(assumption.sources.matches, station[1] or None)
    }


def all_edges(world: World, assumptions: Iterable[Assumption]) -> dict[tuple[Vertex, Vertex, PortKey | None], int]:
    """The edges, with those into stations. An external is an end but for its mirrors."""
    found = edges(world)
    for station in stations(world):
        if station not in unreachable(world, assumptions):
            for vertex in vertices(world):
                is_end = vertex[0] == "declared" and isinstance(world.nodes[NodeName(vertex[1])], External)
                if vertex != station and not is_end:
                    found[vertex, station, None] = 1
    return found


def no_path(world: World, claim: NoPath, assumptions: Sequence[Assumption]) -> bool:
    """No goal is met in any number of rounds, each of which adds whatever one more edge leads to."""
    away = gone(world, claim.bypassing)
    links = [link for link in all_edges(world, assumptions) if link[1] not in away]
    reached = {(vertex, None) for vertex in starts(world, claim.sources) - away}
    places = {vertex for vertex, _ in reached}
    rounds = claim.within_hops if claim.within_hops is not None else len(vertices(world)) + 1
    for _ in range(rounds):
        fresh = [link for link in links if link[0] in places]
        if any(_is_goal(link, claim.destinations) for link in fresh):
            return False
        places |= {link[1] for link in fresh}
    return True


def _is_goal(link: tuple[Vertex, Vertex, PortKey | None], destinations: Iterable[Destination]) -> bool:
    _, (kind, name), key = link
    return kind == "declared" and any(
        place.node == name and (key is None or place.ports is None or key.port in place.ports) for place in destinations
    )


def is_isolated(world: World, claim: IsIsolated, assumptions: Sequence[Assumption]) -> bool:
    there = NoPath(claim.left, claim.right_destinations, None, None)
    back = NoPath(claim.right, claim.left_destinations, None, None)
    return no_path(world, there, assumptions) and no_path(world, back, assumptions)


def no_mirror_leaves(world: World, claim: NoMirrorLeaves) -> bool:
    for key in world.judged:
        for branch in mirrors_at(world, key):
            ends = [(key.node, key.port), *((target.node, target.port) for target in branch.targets)]
            is_meant = any(
                node == place.node and (place.ports is None or port is None or port in place.ports)
                for place in claim.destinations
                for node, port in ends
            )
            mirror = branch.settings.mirror
            if is_meant and mirror is not None and mirror.target.node not in claim.zone:
                return False
    return True


def attempts_hold(world: World, claim: AtMostAttempts, assumptions: Sequence[Assumption]) -> bool:
    """The best product of each node grows round by round; if it still does after all nodes, it has no bound."""
    links = all_edges(world, assumptions)
    best: dict[Vertex, Fraction] = {vertex: Fraction(1) for vertex in vertices(world)}
    reachable = set(starts(world, claim.sources))
    for _ in best:
        reachable |= {target for source, target, _ in links if source in reachable}
    kept = {link: attempts for link, attempts in links.items() if link[0] in reachable}
    for _ in range(len(best) + 1):
        before = dict(best)
        for (source, target, _), attempts in kept.items():
            best[source] = max(best[source], attempts * before[target])
        if best == before:
            break
    else:
        return False
    return max((best[start] for start in starts(world, claim.sources)), default=Fraction(1)) <= claim.attempts
