"""What a comparison says of declarations that are not alike, where no request shows it: places and who stands there.

Requests name a node, so none tells that an external is at another host, or a service is other workloads (ADR 0175).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import External, Gateway, Node, Service
from meshproof.compiler.ir.mesh import Egress, Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import ClientIp, RemoteIp, attributes_of
from meshproof.compiler.verify.semantic_diff_ports import Sides
from meshproof.compiler.verify.semantic_diff_values import Change, DiffRegion, Edit, EditKind, Place, Undecided


def host_regions(sides: Sides) -> Iterator[DiffRegion]:
    """What is newly allowed or denied because an external is at other hosts, where undeclared places are refused.

    Told for the callers that rules of the external let in; there is no witness, for requests do not show the host.
    """
    for was, now in _externals(sides):
        edit = Edit(EditKind.NODE, str(now.name), was.origin, now.origin)
        sources = _let_in(sides.new, now.name, sides.day)
        if sides.old.egress is Egress.CLOSED and sources:
            for host in uncovered(now.hosts, was.hosts):
                yield _region(Change.ALLOWED, sources, host, (was, now), edit)
        sources = _let_in(sides.old, was.name, sides.day)
        if sides.new.egress is Egress.CLOSED and sources:
            for host in uncovered(was.hosts, now.hosts):
                yield _region(Change.DENIED, sources, host, (was, now), edit)


def _region(
    change: Change, sources: tuple[str, ...], host: str, sides: tuple[External, External], edit: Edit
) -> DiffRegion:
    was, now = sides
    place = Place(f"{now.name} at {host}", str(was.name), str(now.name))
    return DiffRegion(change, sources, (place,), (), (), (edit,), None, is_rest=True)


def uncovered(hosts: Collection[str], others: Collection[str]) -> tuple[str, ...]:
    """The hosts that none of the others is, nor covers with `*`."""
    return tuple(host for host in hosts if not any(_covers(other.lower(), host.lower()) for other in others))


def _covers(pattern: str, host: str) -> bool:
    return pattern in {host, "*"} or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def _let_in(mesh: Mesh, name: NodeName, day: date) -> tuple[str, ...]:
    """The sources of rules that allow something at a node, as they are written."""
    rules = (rule for rule in _in_force(mesh, name, day) if rule.effect is Effect.ALLOW)
    return tuple(sorted({rule.sources.text for rule in rules}))


def _in_force(mesh: Mesh, name: NodeName, day: date) -> Iterator[AuthzRule]:
    for rule in mesh.rules:
        if rule.is_in_force(day) and any(place.node == name for place in rule.destinations):
            yield rule


def declared_doubts(sides: Sides) -> Iterator[Undecided]:
    """What declarations leave to others, if it is left to somebody else now, or to nobody."""
    for was, now in _externals(sides):
        stays_open = Egress.OPEN in {sides.old.egress, sides.new.egress}
        if stays_open and set(was.hosts) != set(now.hosts) and _refuses(sides, was.name, now.name):
            reason = f"{_changed(was.hosts, now.hosts)}: what rules refuse there is refused at other places"
            yield Undecided(f"external {now.name}", reason)
    for before, after in _pairs(sides):
        if isinstance(before, Gateway) and isinstance(after, Gateway):
            yield from _doubts_of_gateway(sides, before, after)


def _refuses(sides: Sides, old: NodeName, new: NodeName) -> bool:
    rules = (*_in_force(sides.old, old, sides.day), *_in_force(sides.new, new, sides.day))
    return any(rule.effect is not Effect.ALLOW for rule in rules)


def _doubts_of_gateway(sides: Sides, was: Gateway, now: Gateway) -> Iterator[Undecided]:
    if was.client_ca != now.client_ca:
        asked, known = (f"`{one}`" if one else "nobody" for one in (now.client_ca, was.client_ca))
        reason = f"it asks callers for a certificate of {asked} now, of {known} before: others can come to it"
        yield Undecided(f"gateway {now.name}", reason)
    read = {attribute for rule in (*sides.old.rules, *sides.new.rules) for attribute in attributes_of(rule.content)}
    if was.trusted_proxies != now.trusted_proxies and read & {ClientIp(), RemoteIp()}:
        reason = f"it trusts {now.trusted_proxies} proxies, not {was.trusted_proxies}: `client.ip` is another address"
        yield Undecided(f"gateway {now.name}", reason)


def declared_notes(sides: Sides) -> Iterator[str]:
    """What is meant by a name on the platform, where that has changed and no request shows it."""
    for was, now in _pairs(sides):
        for word, (one, other) in _meant(was, now).items():
            if one != other and one and other:  # what one side does not tell is no change
                yield f"`{now.name}`: {word} {_changed(one, other)}"
    known = {issuer.name: issuer for issuer in sides.old.issuers}
    for issuer in sides.new.issuers:
        before = known.get(issuer.name)
        if before is not None and before.is_stripped is not issuer.is_stripped:
            said = "no longer sees" if issuer.is_stripped else "sees"
            yield f"`{issuer.name}`: who is called {said} its tokens"


def _meant(was: Node, now: Node) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    both = {port.workload for port in was.ports} & {port.workload for port in now.ports}
    found = {"callers dial": (_dialled(was, both), _dialled(now, both))}
    match was, now:
        case Service(), Service():
            found["its workloads are those with"] = (_labels(was), _labels(now))
            found["its name on the platform"] = ((was.platform_name,), (now.platform_name,))
        case Gateway(), Gateway():
            found["its workloads are those with"] = (_labels(was), _labels(now))
            found["it answers to"] = (_hosts(was), _hosts(now))
            found["its certificate"] = (_only(was.certificate), _only(now.certificate))
        case External(), External():
            found["it is at"] = (_hosts(was), _hosts(now))
            found["what goes there is judged by"] = (_only(was.via, _SENDERS), _only(now.via, _SENDERS))
        case _:
            pass
    return found


_SENDERS = "proxies of callers"


def _only(value: str | None, nobody: str = "nothing") -> tuple[str, ...]:
    return (nobody if value is None else str(value),)


def _hosts(node: Gateway | External) -> tuple[str, ...]:
    return tuple(sorted(node.hosts))


def _labels(node: Service | Gateway) -> tuple[str, ...]:
    return tuple(sorted(f"{key}={value}" for key, value in node.labels))


def _dialled(node: Node, workload_ports: Collection[int]) -> tuple[str, ...]:
    """The numbers of the ports that both sides have; another port is another matter, which regions tell."""
    numbers = sorted((port.workload, port.number) for port in node.ports if port.workload in workload_ports)
    return tuple(str(number) for _, number in numbers)


def _changed(was: Collection[str], now: Collection[str]) -> str:
    return f"{', '.join(f'`{one}`' for one in now)} now, not {', '.join(f'`{one}`' for one in was)}"


def _externals(sides: Sides) -> Iterator[tuple[External, External]]:
    for was, now in _pairs(sides):
        if isinstance(was, External) and isinstance(now, External):
            yield was, now


def _pairs(sides: Sides) -> Iterator[tuple[Node, Node]]:
    """The nodes of both sides; none between files and a policy, which name places in their own ways."""
    if sides.old.is_lifted is not sides.new.is_lifted:
        return
    for old, new in sorted(sides.correspondence.pairs, key=lambda pair: pair[1]):
        yield sides.nodes[0][old], sides.nodes[1][new]
