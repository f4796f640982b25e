"""A whole mesh as a policy of the language, and what of it the language cannot say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from meshproof.compiler.express.conditions import Conditions
from meshproof.compiler.express.declarations import Declarations
from meshproof.compiler.express.defaults import open_by_default
from meshproof.compiler.express.destinations import Destinations
from meshproof.compiler.express.inexpressible import InexpressibleError
from meshproof.compiler.express.names import Names, names_of, untaken_node
from meshproof.compiler.express.ports import ports_of, taken_for_http
from meshproof.compiler.express.routes import Routes
from meshproof.compiler.express.rules import Rules
from meshproof.compiler.express.seen_callers import as_seen
from meshproof.compiler.express.sets import Domains
from meshproof.compiler.express.untaken import Untaken
from meshproof.compiler.express.wording import Wording
from meshproof.compiler.express.zones import Zones
from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.names import Origin, RuleId, written_name
from meshproof.dsl.ast.document import Statement
from meshproof.dsl.ast.rules import Rule

if TYPE_CHECKING:
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.names import NodeName

T = TypeVar("T")

_NO_REQUEST = "no file says what it speaks: it is taken for a port of requests, and other connections are refused"

_UNKNOWN = "[unknown]"
"""How rules end that stand for an object as a whole, which may do anything."""


@dataclass(frozen=True, slots=True)
class Part:
    """A statement of the policy, and what of the mesh it says: its name there, and its place."""

    statement: Statement
    subject: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Expressed:
    """The policy, part by part in the order in which people read it, and what it leaves out.

    `names` is what things are called in it.
    """

    parts: tuple[Part, ...]
    names: Names
    untaken: tuple[Untaken, ...]


def express(mesh: Mesh, wording: Wording) -> Expressed:
    """The policy that means what the mesh means, but for what is listed."""
    mesh = as_seen(mesh)
    untaken = tuple(_untaken_nodes(mesh))
    taken = _without(mesh, frozenset(one.subject for one in untaken))
    writer = _Writer(taken, names_of(taken), wording)
    parts = tuple(writer.parts())
    return Expressed(parts, writer.names, (*untaken, *dict.fromkeys(writer.untaken)))


def _untaken_nodes(mesh: Mesh) -> Iterator[Untaken]:
    for node in mesh.nodes:
        reason = untaken_node(node, mesh)
        if reason is not None:
            yield Untaken(node.name, reason, node.origin)


def _without(mesh: Mesh, nodes: frozenset[str]) -> Mesh:
    """The mesh without some nodes, and what is said about them; what others say of them is left as it is."""
    return replace(
        mesh,
        services=tuple(one for one in mesh.services if one.name not in nodes),
        gateways=tuple(one for one in mesh.gateways if one.name not in nodes),
        externals=tuple(one for one in mesh.externals if one.name not in nodes),
        mtls=tuple(one for one in mesh.mtls if getattr(one.scope, "service", None) not in nodes),
        routes=tuple(one for one in mesh.routes if one.node not in nodes),
    )


class _Writer:
    def __init__(self, mesh: Mesh, names: Names, wording: Wording) -> None:
        self._mesh = mesh
        self.names = names
        self._wording = wording
        self._ports = ports_of(mesh)
        self._destinations = Destinations(mesh, names, self._ports)
        conditions = Conditions(names, Domains.of(mesh))
        self._declarations = Declarations(mesh, names, wording, self._ports)
        self._rules = Rules(mesh, names, wording, conditions, self._destinations)
        self._routes = Routes(mesh, names, self._ports, conditions)
        self.untaken = [
            Untaken(f"{service.name}:{port.workload}/{Layer.TCP}", _NO_REQUEST, port.origin)
            for service, port in taken_for_http(mesh, self._ports)
        ]

    def parts(self) -> Iterator[Part]:
        """Everything, in the order in which people read it: who there is, how they meet, who may call whom."""
        mesh, declare = self._mesh, self._declarations
        rules = self._all_rules()
        zones = Zones(mesh, self.names, [one.statement for one in rules if isinstance(one.statement, Rule)])
        yield Part(declare.mesh(), mesh.name, mesh.origin)
        yield from self._each(mesh.namespaces, declare.namespace, lambda one: one.name)
        yield from self._each(mesh.issuers, declare.issuer, lambda one: one.name)
        yield from self._each(mesh.authorizers, declare.authorizer, lambda one: one.name)
        yield from self._each(mesh.gateways, declare.gateway, lambda one: one.name)
        yield from self._each(mesh.externals, declare.external, lambda one: one.name)
        yield from self._each(mesh.services, declare.service, lambda one: one.name)
        yield from (Part(zone, zone.name.text, mesh.origin) for zone in zones.declared)
        yield from self._each(mesh.mtls, declare.mtls, lambda one: f"mtls {one.mode.value}")
        for part in rules:
            statement = part.statement
            yield replace(part, statement=zones.applied(statement)) if isinstance(statement, Rule) else part
        yield from self._each(mesh.routes, self._routes.route, lambda one: one.id)

    def _all_rules(self) -> tuple[Part, ...]:
        """The rules by what they are about, and last what is open because nobody said otherwise."""
        ranks = {node.name: number for number, node in enumerate(self._mesh.nodes)}
        ordered = sorted(self._mesh.rules, key=lambda rule: _place(rule, ranks))
        found = tuple(self._each(ordered, self._rules.rule, lambda one: _known_as(one.id)))
        rest = open_by_default(self._mesh, self.names, self._ports, self._destinations, self._wording)
        return found if rest is None else (*found, Part(rest, "open by default", self._mesh.origin))

    def _each(
        self, values: Iterable[T], write: Callable[[T], Statement | None], name: Callable[[T], str]
    ) -> Iterator[Part]:
        """What can be said of each value; what cannot is noted."""
        for value in values:
            origin: Origin = value.origin  # type: ignore[attr-defined]  # every value of a mesh has one
            try:
                statement = write(value)
            except InexpressibleError as error:
                self.untaken.append(Untaken(name(value), error.reason, error.origin or origin))
            else:
                if statement is not None:
                    yield Part(statement, name(value), origin)


def _known_as(rule: RuleId) -> str:
    """The rule, or the object that stands for one without a number, as people know it."""
    return written_name(rule).removesuffix(_UNKNOWN)


def _place(rule: AuthzRule, ranks: dict[NodeName, int]) -> tuple[bool, int, bool, str]:
    """Rules for many first, then node by node; what denies before what allows."""
    nodes = {place.node for place in rule.destinations}
    first = min((ranks.get(name, len(ranks)) for name in nodes), default=len(ranks))
    return len(nodes) == 1, first, rule.effect.value == "allow", rule.id
