"""Routes to workloads behind one name as routes to one service and its versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from meshproof.compiler.ir.names import NodeName, Origin
from meshproof.dsl.source import Span

if TYPE_CHECKING:
    from meshproof.compiler.ir.routing import Branch, Mirror, Route, Target

_NOWHERE = Origin(Span("", 0, 0))


@dataclass(frozen=True, slots=True)
class Members:
    """By workload the service that it is one of, with the versions of all workloads of that."""

    of: Mapping[NodeName, tuple[NodeName, Mapping[NodeName, str | None]]]

    def name(self, node: NodeName) -> NodeName:
        """What the node is called when workloads behind one name are one."""
        found = self.of.get(node)
        return node if found is None else found[0]

    def version(self, nodes: frozenset[NodeName], written: str | None) -> str | None:
        """The version that these workloads of one service are: None for all of it.

        One that stands alone keeps the version by which it was called. Some that no label tells from the others get a
        name that no version has, so that nobody takes them for more.
        """
        versions = next((self.of[node][1] for node in nodes if node in self.of), {})
        if nodes == frozenset(versions):
            (first, *others) = versions.values()
            return (first or written) if written is not None and not others else None
        told = {versions.get(node) for node in nodes}
        same = frozenset(node for node, version in versions.items() if version in told)
        if len(told) == 1 and None not in told and same == nodes:
            return told.pop()
        return " and ".join(sorted(nodes))


def joined(route: Route, name: NodeName, members: Members) -> Route:
    """The route as one of the service, to services and versions of them."""
    own = route.id.replace(route.node, name, 1)
    branches = tuple(_branch(branch, route, name, members) for branch in route.branches)
    return replace(route, id=own, node=name, branches=branches)


def said_by(route: Route, name: NodeName, members: Members) -> Route:
    """What the route of one of several workloads does: the same for two that files say the same of.

    Names of branches and places of what nobody wrote say by which of the workloads it was found.
    """
    plain = joined(route, name, members)
    branches = tuple(_without_place(branch) for branch in plain.branches)
    return replace(plain, id="", origin=_NOWHERE, branches=branches)


def _without_place(branch: Branch) -> Branch:
    if not branch.is_implied:
        return replace(branch, id="")
    targets = tuple(replace(target, origin=_NOWHERE) for target in branch.targets)
    settings = replace(branch.settings, retry=None)
    return replace(branch, id="", origin=_NOWHERE, targets=targets, settings=settings)


def _branch(branch: Branch, route: Route, name: NodeName, members: Members) -> Branch:
    targets = tuple(_targets(branch, members))
    settings = branch.settings
    if settings.mirror is not None:
        settings = replace(settings, mirror=_mirror(settings.mirror, members))
    own = branch.id.replace(f"@{route.node}:", f"@{name}:")
    return replace(branch, id=own, targets=targets, settings=settings)


def _mirror(mirror: Mirror, members: Members) -> Mirror:
    (target,) = _one_of_each([mirror.target], members)
    return replace(mirror, target=target)


def _targets(branch: Branch, members: Members) -> Iterator[Target]:
    """The targets: one in place of all that stand behind one name."""
    if branch.is_implied:
        for target in branch.targets:
            yield replace(target, node=members.name(target.node))
        return
    block: list[Target] = []
    for target in branch.targets:
        if block and not target.is_alternative:
            yield from _one_of_each(block, members)
            block = []
        block.append(target)
    yield from _one_of_each(block, members)


def _one_of_each(block: Iterable[Target], members: Members) -> Iterator[Target]:
    """A share of the traffic, that goes to any of several workloads: one target for each service among them."""
    services: dict[NodeName, list[Target]] = {}
    for target in block:
        services.setdefault(members.name(target.node), []).append(target)
    for number, (name, targets) in enumerate(services.items()):
        first = targets[0]
        if first.node not in members.of:
            yield first
            continue
        version = members.version(frozenset(target.node for target in targets), first.version)
        label = first.label if len(services) > 1 else None
        yield replace(first, node=name, version=version, label=label, is_alternative=number > 0)
