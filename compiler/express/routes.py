"""Routes as the language writes them. A route is taken whole or not at all: its first branch decides."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from meshproof.compiler.express import route_settings
from meshproof.compiler.express.inexpressible import InexpressibleError
from meshproof.compiler.express.route_matches import RouteMatches, keeps_rest
from meshproof.compiler.express.unwritten import says_nothing
from meshproof.compiler.ir.entities import Gateway, Node, Service
from meshproof.compiler.ir.predicate import Always
from meshproof.compiler.ir.routing import Branch, Route, Target
from meshproof.dsl.ast import routes as ast
from meshproof.dsl.ast import sets
from meshproof.dsl.ast.values import Name, Percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from meshproof.compiler.express.conditions import Conditions
    from meshproof.compiler.express.names import Names
    from meshproof.compiler.express.ports import Ports
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.names import NodeName


class Routes:
    """Writes the routes of a mesh. Raises InexpressibleError where the language has no words for one."""

    def __init__(self, mesh: Mesh, names: Names, ports: Mapping[NodeName, Ports], conditions: Conditions) -> None:
        self._names = names
        self._ports = ports
        self._nodes: dict[str, Node] = {node.name: node for node in mesh.nodes}
        self._matches = RouteMatches(conditions)

    def route(self, route: Route) -> ast.Route | None:
        """The route; None if it says nothing: everything goes on as it is called."""
        if says_nothing(route):
            return None
        node = self._nodes[route.node]
        destination = self._destination(route, node)
        if destination is None:
            return None
        whole = route_settings.of_route(route)
        branches = tuple(self._branches(route, node))
        if len(branches) == 1 and isinstance(branches[0], ast.Otherwise) and branches[0].targets:
            (only,) = branches
            own = only.settings or ast.NO_SETTINGS
            settings = replace(
                own, limits=whole.limits, ejection=whole.ejection, balance=whole.balance, weights_by=whole.weights_by
            )
            is_undivided = only.targets == (ast.Target(Name(self._names.nodes[node.name])),)
            kept = () if is_undivided else (ast.Otherwise(only.targets),)
            return ast.Route(destination, kept, settings)
        if not branches:
            raise InexpressibleError("it takes no request at all")
        return ast.Route(destination, branches, whole)

    def _destination(self, route: Route, node: Node) -> sets.SetTerm | None:
        """The port that the route is for; None if the policy has it for the other kind of traffic."""
        name = sets.Named(Name(self._names.nodes[node.name]))
        if route.port is None:
            return name
        port = next((one for one in self._ports[node.name] if one.workload == route.port), None)
        if port is None:
            raise InexpressibleError(f"it is for port {route.port}, which nothing declares")
        if route.layer not in {None, port.layer}:
            if all(branch.is_implied for branch in route.branches):
                return None
            raise InexpressibleError(f"it is for {route.layer}, and the port is taken for {port.layer}")
        return sets.AtPort(name, Name(port.name))

    def _branches(self, route: Route, node: Node) -> Iterator[ast.RouteBranch]:
        for branch in route.branches:
            if branch.answer is not None:
                raise InexpressibleError(f"proxies answer {branch.answer} themselves", branch.origin)
            settings = route_settings.of_branch(branch, lambda target: self._target(target, route, node))
            written = None if settings == ast.NO_SETTINGS else settings
            targets = tuple(self._targets(branch, route, node))
            if isinstance(branch.condition, Always) and not keeps_rest(branch):
                yield ast.Otherwise(targets, written)
                return
            has_tokens = isinstance(node, Gateway) and bool(node.accepts)
            yield replace(self._matches.match(branch, has_tokens=has_tokens), targets=targets, settings=written)

    def _targets(self, branch: Branch, route: Route, node: Node) -> Iterator[ast.Target]:
        if any(target.is_alternative for target in branch.targets):
            raise InexpressibleError("several workloads stand behind one name", branch.origin)
        for target in branch.targets:
            found = self._target(target, route, node)
            yield found if len(branch.targets) == 1 else replace(found, weight=Percent(target.weight))

    def _target(self, target: Target, route: Route, node: Node) -> ast.Target:
        if isinstance(node, Gateway):
            return self._elsewhere(target, route)
        if target.node != node.name or target.port not in {None, route.port}:
            raise InexpressibleError(f"it sends what calls `{node.name}` to `{target.node}`", target.origin)
        if target.version is None:
            return ast.Target(Name(self._names.nodes[node.name]))
        if not isinstance(node, Service) or target.version not in node.versions:
            raise InexpressibleError(f"no workload is of the version `{target.version}`", target.origin)
        return ast.Target(Name(target.version))

    def _elsewhere(self, target: Target, route: Route) -> ast.Target:
        """Where a gateway sends requests."""
        if target.version is not None:
            raise InexpressibleError(
                f"a gateway chooses the version `{target.version}` of `{target.node}`", target.origin
            )
        name = self._names.nodes.get(target.node)
        number = route.port if target.port is None else target.port
        if name is None or isinstance(self._nodes.get(target.node), Gateway):
            raise InexpressibleError(f"it sends requests to `{target.node}`, which is not taken", target.origin)
        port = next((one for one in self._ports[target.node] if one.workload == number), None)
        if port is None:
            raise InexpressibleError(
                f"it sends requests to port {number} of `{target.node}`, which no file declares", target.origin
            )
        return ast.Target(Name(name), Name(port.name))
