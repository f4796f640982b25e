"""What the routes of a policy say of traffic, ready to be done: made once, when a policy is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from meshproof.compiler.ir.entities import External, Layer, Node, Service
from meshproof.compiler.ir.matchers import Matcher
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import Header, Sni, attributes_of
from meshproof.compiler.ir.routing import Balance, Branch, Ejection, Fault, Limits, Redirect, Route, Settings, Target
from meshproof.runtime.core.traffic import redirects
from meshproof.runtime.core.traffic.cors import CorsRule
from meshproof.runtime.core.traffic.header_edits import Edits, edits
from meshproof.runtime.core.traffic.retrying import RetryRule
from meshproof.runtime.core.traffic.shares import Shares
from meshproof.runtime.engine.transport import Modes


@dataclass(frozen=True, slots=True)
class Place:
    """Endpoints that are chosen among: those of a version (None: of any) at a workload port of a node."""

    node: NodeName
    port: int
    version: str | None = None


@dataclass(frozen=True, slots=True)
class BranchPlan:
    """What is done with the requests that a branch takes. Without `shares` it is a redirect."""

    shares: Shares[Place] | None
    timeout: float | None = None
    retry: RetryRule | None = None
    mirror: tuple[Place, int] | None = None
    edits: Edits | None = None
    cors: CorsRule | None = None
    fault: Fault | None = None
    redirect: Redirect | None = None
    path: Matcher | None = None


@dataclass(frozen=True, slots=True)
class PortPlan:
    """One port of a destination. `limited_as` names what its limits are counted for: the route as a whole."""

    limited_as: str
    limits: Limits | None = None
    ejection: Ejection | None = None
    balance: Balance | None = None


class PlanError(Exception):
    """A route asks for what no proxy may do, so the policy is not loaded. One lower-case sentence."""


def readers_of_sni(mesh: Mesh, node: NodeName) -> tuple[str, ...]:
    """The rules and routes for the node that read the server name of a connection, by kind and name."""
    about = [
        (f"rule `{rule.id}`", rule.content) for rule in mesh.rules if any(one.node == node for one in rule.destinations)
    ]
    routes = [route for route in mesh.routes if route.node == node]
    about += [(f"route `{route.id}`", branch.condition) for route in routes for branch in route.branches]
    found = [said for said, read in about if any(isinstance(one, Sni) for one in attributes_of(read))]
    return tuple(dict.fromkeys(found))


class Plans:
    """The plans of one policy. Raises `PlanError` when it is made of one with a route that cannot be kept whole."""

    __slots__ = ("_branches", "_mesh", "_nodes", "_routes")

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._nodes: Mapping[NodeName, Node] = {node.name: node for node in mesh.nodes}
        self._routes = {(route.node, route.port): route for route in mesh.routes}
        self._branches: dict[tuple[str | None, NodeName, int], BranchPlan] = {}
        for route in mesh.routes:
            for port in self._ports(route):
                for branch in route.branches:
                    self._branches[branch.id, route.node, port] = _planned(route, branch, port)

    def branch(self, name: str | None, node: NodeName, port: int) -> BranchPlan:
        """The plan of a branch by its name, as it is at a port; without one all goes to the port that is called."""
        found = self._branches.get((name, node, port))
        if found is None:  # there is no route: of named branches all are there
            assert name is None, "a route takes no request at a port that it is not for"
            found = self._branches[name, node, port] = BranchPlan(Shares(((Place(node, port), 100),)))
        return found

    def port(self, node: NodeName, port: int) -> PortPlan:
        """What holds for a port as a whole; the route of the port is closer than that of all HTTP ports."""
        route = self._route(node, port)
        if route is None:
            return PortPlan(f"{node}:{port}")
        return PortPlan(f"route {route.id}", route.limits, route.ejection, route.balance)

    def node(self, name: NodeName) -> Node | None:
        """What is declared under the name."""
        return self._nodes.get(name)

    def sent_as(self, own: str, name: NodeName, port: int, day: date) -> str | None:
        """As whom the own workload comes to a port: where mTLS is `disabled`, as nobody, to routes too."""
        node = self._nodes.get(name)
        is_disabled = node is not None and Modes(self._mesh.mtls, day).mode(node, port) is MtlsMode.DISABLED
        return None if is_disabled else own

    def host(self, name: NodeName) -> str | None:
        """The host that a caller asks for who names none of its own; None where there is no such one."""
        match self._nodes.get(name):
            case Service() as service:
                return service.platform_name
            case None:
                return None
            case node:
                return next((host for host in node.hosts if not host.startswith("*")), None)

    def headers(self, node: NodeName, port: int) -> frozenset[bytes]:
        """The headers that are read to route a request, and at an external to judge it, in lower case."""
        route = self._route(node, port)
        about = [] if route is None else [branch.condition for branch in route.branches]
        if isinstance(self._nodes.get(node), External):
            about += [rule.content for rule in self._mesh.rules if any(one.node == node for one in rule.destinations)]
        read = (one for condition in about for one in attributes_of(condition))
        return frozenset(one.name.encode("utf-8") for one in read if isinstance(one, Header))

    def reads_sni(self, node: NodeName) -> bool:
        """Whether a rule or route for the node reads the server name of a connection that goes through untouched."""
        return bool(readers_of_sni(self._mesh, node))

    def _route(self, node: NodeName, port: int) -> Route | None:
        route = self._routes.get((node, port))
        if route is None and port in self._http_ports(node):
            route = self._routes.get((node, None))
        return route

    def _ports(self, route: Route) -> tuple[int, ...]:
        return self._http_ports(route.node) if route.port is None else (route.port,)

    def _http_ports(self, name: NodeName) -> tuple[int, ...]:
        node = self._nodes.get(name)
        return () if node is None else tuple(port.workload for port in node.ports if port.layer is Layer.HTTP)


def _planned(route: Route, branch: Branch, port: int) -> BranchPlan:
    settings = branch.settings
    try:
        _refuse_lifted(branch)
        return BranchPlan(
            shares=Shares([(_place(target, port), target.weight) for target in branch.targets])
            if branch.redirect is None
            else None,
            timeout=None if settings.timeout_ms is None else settings.timeout_ms / 1000,
            retry=None if settings.retry is None else RetryRule.of(settings.retry),
            mirror=_mirror(settings, port),
            edits=edits(settings.headers),
            cors=None if settings.cors is None else CorsRule(settings.cors),
            fault=settings.fault,
            redirect=None if branch.redirect is None else redirects.checked(branch.redirect),
            path=branch.path,
        )
    except ValueError as error:
        raise PlanError(f"`route {route.id}` cannot be kept: {error}") from None


def _refuse_lifted(branch: Branch) -> None:
    """Refuse what foreign files alone say, and no plan holds. Raises `ValueError`."""
    if branch.answer is not None:
        raise ValueError("a branch answers by itself")
    if branch.settings.rewrite_host is not None:
        raise ValueError("a branch sends requests on with another host")
    if branch.redirect is not None and branch.redirect.scheme is not None:
        raise ValueError("a redirect names a scheme")
    if any(target.is_alternative for target in branch.targets):
        raise ValueError("a branch has targets in the place of others")


def _mirror(settings: Settings, port: int) -> tuple[Place, int] | None:
    mirror = settings.mirror
    return None if mirror is None else (_place(mirror.target, port), mirror.percent)


def _place(target: Target, port: int) -> Place:
    return Place(target.node, target.port or port, target.version)
