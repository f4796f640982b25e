"""Workloads behind one name as versions of one service.

The language has one service where Kubernetes has several workloads behind a Service, each with a label `version`. They
become one if files say the same of all of them but for that label; then a mesh in which they are one means what the
files mean. Else one of them stands for the name, and the others are not taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from meshproof.compiler.express.one_name import by_one_name
from meshproof.compiler.express.untaken import Untaken
from meshproof.compiler.express.version_routes import Members, joined, said_by
from meshproof.compiler.ir.mtls import PortScope, ServiceScope
from meshproof.compiler.ir.names import NodeName

if TYPE_CHECKING:
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.compiler.ir.entities import Destination, Service
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.mtls import MtlsPolicy

VERSION = "version"
"""The label that tells versions, for the language and by the custom of Istio."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Folded:
    """A mesh in which workloads behind one name are one service, and what of it is not taken."""

    mesh: Mesh
    untaken: tuple[Untaken, ...]


def folded(mesh: Mesh) -> Folded:
    """The mesh with one service for each name that several workloads stand behind."""
    mesh, by_others = by_one_name(_named_alike(mesh))
    groups, left = [], dict.fromkeys(mesh.services)
    untaken = list(by_others)
    for alike in _alike(mesh.services):
        group = _Group(mesh, alike)
        others = group.told_apart()
        untaken.extend(_not_taken(group.first, others))
        for other in others:
            del left[other]
        group = _Group(mesh, tuple(one for one in alike if one not in others))
        if group.says_more(left):
            groups.append(group)
            untaken.extend(group.accounts())
    members = Members({name: group.versions for group in groups for name in group.names})
    return Folded(_applied(mesh, tuple(left), groups, members), tuple(untaken))


def _named_alike(mesh: Mesh) -> Mesh:
    """The mesh in which workloads that are alike have one Service, of those before them that which all have."""
    names = {one.name: _usual_name(alike) for alike in _alike(mesh.services) for one in alike}
    services = tuple(replace(one, platform_name=names[one.name]) for one in mesh.services)
    return mesh if services == mesh.services else replace(mesh, services=services)


def _usual_name(services: Sequence[Service]) -> str:
    """The name by which callers mean any of the workloads: that of the label `app`, else the one of most."""
    names = [one.platform_name for one in services]
    apps = {dict(one.labels).get("app") for one in services}
    return next((name for name in names if name in apps), max(names, key=names.count))


def _not_taken(first: Service, others: Iterable[Service]) -> Iterator[Untaken]:
    reason = f"its pods are told from those of `{first.name}` by more than a version, and the same name leads to both"
    for other in others:
        yield Untaken(other.name, reason, other.origin)


def _alike(services: Sequence[Service]) -> Iterator[tuple[Service, ...]]:
    """Workloads that no policy can tell apart but by a version: behind one Service, or with the labels of another."""
    found: list[list[Service]] = []
    for service in services:
        meeting = [group for group in found if any(_is_one_name(service, other) for other in group)]
        joint = [one for group in meeting for one in group]
        found = [group for group in found if group not in meeting]
        found.append([*joint, service])
    return (tuple(group) for group in found)


def _is_one_name(one: Service, other: Service) -> bool:
    if one.namespace != other.namespace or one.identity.trust_domain != other.identity.trust_domain:
        return False
    some, more = (set(_selector(service)) for service in (one, other))
    is_below = bool(some) and bool(more) and (some <= more or more <= some)
    return is_below or (one.platform_name == other.platform_name and bool(one.ports and other.ports))


def _selector(service: Service) -> Labels:
    return tuple(pair for pair in service.labels if pair[0] != VERSION)


class _Group:
    """Workloads that may be one service; the first is the one that has the name, or came first."""

    def __init__(self, mesh: Mesh, services: tuple[Service, ...]) -> None:
        self._mesh = mesh
        platform = [one for one in services if one.name.endswith(f"/{one.platform_name}")]
        self.first = (*platform, *services)[0]
        self._services = (self.first, *(one for one in services if one is not self.first))
        self._names = tuple(one.name for one in self._services)
        self.name = self._common_name(services)

    @property
    def names(self) -> tuple[NodeName, ...]:
        """Its workloads."""
        return self._names

    @property
    def versions(self) -> tuple[NodeName, Mapping[NodeName, str | None]]:
        """What it is called, and by its workloads the versions that they are of."""
        return self.name, {one.name: _version(one) for one in self._services}

    def _common_name(self, services: tuple[Service, ...]) -> NodeName:
        wanted = NodeName(f"{self.first.namespace}/{self.first.platform_name}")
        is_free = all(one.name != wanted or one in services for one in self._mesh.nodes)
        is_app = dict(self.first.labels).get("app") == self.first.platform_name
        is_telling = is_app or all(one.name.startswith(wanted) for one in services)
        return wanted if is_free and is_telling else self.first.name

    def told_apart(self) -> tuple[Service, ...]:
        """The workloads of which files say something that they do not say of the first."""
        versions = Members(dict.fromkeys(self._names, self.versions))
        expected = self._said_of(self.first, versions)
        return tuple(one for one in self._services[1:] if self._said_of(one, versions) != expected)

    def says_more(self, services: Iterable[Service]) -> bool:
        """Whether there is something to make one: several workloads, or one with a version that nothing else needs."""
        if len(self._services) > 1:
            return True
        (only,) = self._services
        selector = set(_selector(only))
        others = (one for one in services if one is not only and one.namespace == only.namespace)
        return _version(only) is not None and bool(selector) and not any(selector <= set(one.labels) for one in others)

    def accounts(self) -> Iterator[Untaken]:
        """The versions that run as another account than their service: of that it has one."""
        for one in self._services[1:]:
            if one.identity != self.first.identity:
                reason = (
                    f"a version of `{self.first.platform_name}` with another account: its identity names it as a caller"
                )
                yield Untaken(one.name, reason, one.origin)

    def service(self) -> Service:
        """The one service."""
        common = set(_selector(self.first)).intersection(*(_selector(one) for one in self._services))
        known = (_version(one) for one in self._services)
        written = () if any(known) else self.first.versions
        return replace(
            self.first,
            name=self.name,
            labels=tuple(pair for pair in self.first.labels if pair in common),
            versions=tuple(dict.fromkeys((*filter(None, map(_version, self._services)), *written))),
        )

    def _said_of(self, service: Service, members: Members) -> object:
        """All that files say of a workload besides its name, its version, and who it is as a caller."""
        mesh, name = self._mesh, service.name
        rules = tuple(
            (rule.id, place.ports) for rule in mesh.rules for place in rule.destinations if place.node == name
        )
        mtls = tuple(_about(one) for one in mesh.mtls if getattr(one.scope, "service", None) == name)
        routes = tuple(said_by(one, self.name, members) for one in mesh.routes if one.node == name)
        return (
            tuple((port.name, port.layer, port.number, port.workload) for port in service.ports),
            service.default_allow,
            service.accepts,
            service.observe,
            rules,
            mtls,
            frozenset((route.port, route.layer, route) for route in routes),
        )


def _version(service: Service) -> str | None:
    """The version that its label tells, if the language can say it."""
    value = dict(service.labels).get(VERSION)
    return value if value is not None and _NAME.fullmatch(value) else None


def _about(policy: MtlsPolicy) -> object:
    port = policy.scope.port if isinstance(policy.scope, PortScope) else None
    return (port, policy.mode, policy.because, policy.until)


def _applied(mesh: Mesh, left: tuple[Service, ...], groups: Sequence[_Group], members: Members) -> Mesh:
    """The mesh with the groups in place of their workloads, and without those that are not taken."""
    first = {group.names[0]: group for group in groups}
    gone = {one.name for one in mesh.services} - {one.name for one in left}
    gone |= {name for group in groups for name in group.names[1:]}
    services = tuple(
        first[one.name].service() if one.name in first else one for one in mesh.services if one.name not in gone
    )
    return replace(
        mesh,
        services=services,
        rules=tuple(_rule(rule, members) for rule in mesh.rules),
        mtls=tuple(_mtls(one, members) for one in mesh.mtls if getattr(one.scope, "service", None) not in gone),
        routes=tuple(
            joined(route, members.name(route.node), members) for route in mesh.routes if route.node not in gone
        ),
    )


def _rule(rule: AuthzRule, members: Members) -> AuthzRule:
    places: dict[Destination, None] = {}
    for place in rule.destinations:
        places[replace(place, node=members.name(place.node))] = None
    if tuple(places) == rule.destinations:
        return rule
    return replace(rule, destinations=tuple(places))


def _mtls(policy: MtlsPolicy, members: Members) -> MtlsPolicy:
    match policy.scope:
        case ServiceScope(service):
            return replace(policy, scope=ServiceScope(members.name(service)))
        case PortScope(service, port):
            return replace(policy, scope=PortScope(members.name(service), port))
        case _:
            return policy
