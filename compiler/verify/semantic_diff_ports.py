"""Which ports of two policies have to be compared: those at which something that decides has changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import cached_property

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import External, Node
from meshproof.compiler.ir.mesh import Egress, Mesh
from meshproof.compiler.ir.names import NodeName, Origin, RuleId
from meshproof.compiler.ir.predicate import ClientIp, attributes_of
from meshproof.compiler.ir.sameness import is_same
from meshproof.compiler.smt.callers import canonical
from meshproof.compiler.smt.joint import conditions_of
from meshproof.compiler.smt.joint_callers import Trust
from meshproof.compiler.smt.policy import Policies, PortKey, PortPolicy, enforced
from meshproof.compiler.verify.correspondence import Correspondence
from meshproof.compiler.verify.semantic_diff_relevance import relevant_rules

_SPARE_PORTS = range(49152, 65536)


class Stance(StrEnum):
    """What a policy says of requests to something that it does not declare."""

    REFUSES = "refuses"
    ALLOWS = "allows"
    SILENT = "silent"
    """It is not under the policy: nothing there is allowed by it, and nothing refused."""


@dataclass(frozen=True, slots=True)
class PortPair:
    """One port as both policies have it; `meshes` are the policies without rules about other nodes."""

    old: PortPolicy
    new: PortPolicy
    meshes: tuple[Mesh, Mesh]


@dataclass(frozen=True, slots=True)
class LonePort:
    """A port of a node that one policy alone declares; `stance` is what the other says of such a node."""

    policy: PortPolicy
    mesh: Mesh
    is_new: bool
    stance: Stance


class Sides:
    """Both policies as of a day, and what differs between their statements."""

    def __init__(self, old: Mesh, new: Mesh, day: date, correspondence: Correspondence, *, audits: bool) -> None:
        self.day = day
        self.old, self.new = (enforced(mesh) if audits else mesh for mesh in (old, new))
        self.correspondence = correspondence
        self.nodes: tuple[dict[NodeName, Node], dict[NodeName, Node]] = (
            {node.name: node for node in self.old.nodes},
            {node.name: node for node in self.new.nodes},
        )
        self._rules = ({rule.id: rule for rule in self.old.rules}, {rule.id: rule for rule in self.new.rules})
        self.changed_rules: frozenset[RuleId] = frozenset(
            name
            for name in self._rules[0].keys() | self._rules[1].keys()
            if not is_same(self._rules[0].get(name), self._rules[1].get(name))
        )
        self.is_trust_changed = Trust.of(self.old) != Trust.of(self.new)
        self.are_gateways_changed = _gateways(self.old) != _gateways(self.new)
        is_all = self.is_trust_changed or not _is_same_around(self.old, self.new)
        self._wanted = None if is_all else self._nodes_in_question()

    @cached_property
    def _policies(self) -> tuple[Policies, Policies]:
        """The policies of the ports in question: without the rules about other nodes, which are most of them."""
        if self._wanted is None:
            return Policies(self.old, self.day), Policies(self.new, self.day)
        to_old = self.correspondence.to_old
        old = {to_old.get(name, name) for name in self._wanted} | (self.nodes[0].keys() - self.correspondence.to_new)
        new = self._wanted | (self.nodes[1].keys() - to_old)
        return Policies(_about(self.old, old), self.day), Policies(_about(self.new, new), self.day)

    def pairs(self) -> Iterator[PortPair]:
        """The ports of nodes of both sides at which something that decides is not the same, by new name and number."""
        for old_name, new_name in sorted(self.correspondence.pairs, key=lambda pair: pair[1]):
            if self._wanted is None or new_name in self._wanted:
                pairs = self._pairs_of(old_name, new_name, self._policies)
                yield from (self._relevant(pair) for pair in pairs if self._is_in_question(pair))

    def every_pair(self) -> Iterator[PortPair]:
        """The ports of all nodes of both sides, changed or not, with all of their rules."""
        policies = Policies(self.old, self.day), Policies(self.new, self.day)
        for old_name, new_name in sorted(self.correspondence.pairs, key=lambda pair: pair[1]):
            yield from self._pairs_of(old_name, new_name, policies)

    def _relevant(self, pair: PortPair) -> PortPair:
        """The pair without rules that have nothing to do with what differs, if nothing but rules does."""
        is_framed_alike = _frame(pair.old) == _frame(pair.new) and _is_same_routes(pair.old, pair.new)
        if self.is_trust_changed or not is_framed_alike or self._has_other_clients(pair):
            return pair
        old, new = ({rule.id: rule for rule in policy.rules} for policy in (pair.old, pair.new))
        edited = [rule for rule in pair.old.rules if not _is_in(rule, new)]
        edited += [rule for rule in pair.new.rules if not _is_in(rule, old)]
        return replace(
            pair,
            old=replace(pair.old, rules=relevant_rules(pair.old.rules, edited)),
            new=replace(pair.new, rules=relevant_rules(pair.new.rules, edited)),
        )

    def _mesh_at(self, name: NodeName, side: int) -> Mesh:
        """A side without the rules about other nodes."""
        return replace((self.old, self.new)[side], rules=self._rules_at[side].get(name, ()))

    @cached_property
    def _rules_at(self) -> tuple[dict[NodeName, tuple[AuthzRule, ...]], dict[NodeName, tuple[AuthzRule, ...]]]:
        return _by_node(self.old), _by_node(self.new)

    @cached_property
    def origins(self) -> tuple[dict[RuleId, Origin], dict[RuleId, Origin]]:
        """Where the rules of each side stand."""
        old, new = ({name: rule.origin for name, rule in rules.items()} for rules in self._rules)
        return old, new

    def lone_ports(self) -> Iterator[LonePort]:
        """The ports of nodes that one side alone declares, the new side's first."""
        for is_new, known in ((True, self.correspondence.to_old), (False, self.correspondence.to_new)):
            policies = self._policies[is_new]
            for name, node in sorted(self.nodes[is_new].items()):
                if name not in known:
                    stance = stance_on(self.old if is_new else self.new, node)
                    for key in _keys(name, policies.told_apart(name), node):
                        policy = policies.policy(key)
                        if key.is_declared or may_allow(policy):
                            yield LonePort(policy, self._mesh_at(name, is_new), is_new, stance)

    def _nodes_in_question(self) -> frozenset[NodeName]:
        """The nodes, by new name, that are not declared alike, or that a rule or route speaks of that has changed."""
        to_new = self.correspondence.to_new
        found = {new for old, new in self.correspondence.pairs if not is_same(self.nodes[0][old], self.nodes[1][new])}
        for name in self.changed_rules:
            for side, rules in enumerate(self._rules):
                rule = rules.get(name)
                for place in rule.destinations if rule is not None else ():
                    found.add(place.node if side else to_new.get(place.node, place.node))
        old_routes, new_routes = ({route.id: route for route in mesh.routes} for mesh in (self.old, self.new))
        for route_id in old_routes.keys() | new_routes.keys():
            one, other = old_routes.get(route_id), new_routes.get(route_id)
            if not is_same(one, other):
                found.update(to_new.get(old.node, old.node) for old in (one,) if old is not None)
                found.update(new.node for new in (other,) if new is not None)
        return frozenset(found)

    def _pairs_of(self, old_name: NodeName, new_name: NodeName, both: tuple[Policies, Policies]) -> Iterator[PortPair]:
        ports = both[0].told_apart(old_name) | both[1].told_apart(new_name)
        spare = next(port for port in _SPARE_PORTS if port not in ports)
        declared = tuple(
            {port.workload for port in node.ports} for node in (self.nodes[0][old_name], self.nodes[1][new_name])
        )
        meshes = (self._mesh_at(old_name, 0), self._mesh_at(new_name, 1))
        for port in (*sorted(ports), spare):
            old, new = (
                policies.policy(PortKey(name, port, is_declared=port in known))
                for policies, name, known in zip(both, (old_name, new_name), declared, strict=True)
            )
            if port in declared[0] or port in declared[1] or may_allow(old) or may_allow(new):
                yield PortPair(old, new, meshes)

    def _is_in_question(self, pair: PortPair) -> bool:
        old, new = pair.old, pair.new
        return (
            self.is_trust_changed
            or _frame(old) != _frame(new)
            or not self.is_same_rules(old, new)
            or not _is_same_routes(old, new)
            or self._has_other_clients(pair)
        )

    def _has_other_clients(self, pair: PortPair) -> bool:
        """Whether something reads `client.ip`, which there is of callers that are gateways, and others are such now."""
        if not self.are_gateways_changed:
            return False
        conditions = (*conditions_of(pair.old), *conditions_of(pair.new))
        return any(ClientIp() in attributes_of(one) for one in conditions)

    def is_same_rules(self, old: PortPolicy, new: PortPolicy) -> bool:
        """Whether the same rules are in force at both, each with the same meaning."""
        return len(old.rules) == len(new.rules) and all(
            one.id == other.id and (one.id not in self.changed_rules or means_same(one, other))
            for one, other in zip(old.rules, new.rules, strict=True)
        )


def _gateways(mesh: Mesh) -> frozenset[str]:
    return frozenset(canonical(mesh, gateway.identity) for gateway in mesh.gateways)


def _is_same_routes(old: PortPolicy, new: PortPolicy) -> bool:
    return is_same((old.route, old.route_tcp), (new.route, new.route_tcp))


def _is_in(rule: AuthzRule, others: Mapping[RuleId, AuthzRule]) -> bool:
    other = others.get(rule.id)
    return other is not None and (other is rule or means_same(rule, other))


def _by_node(mesh: Mesh) -> dict[NodeName, tuple[AuthzRule, ...]]:
    found: dict[NodeName, dict[RuleId, AuthzRule]] = {}
    for rule in mesh.rules:
        for place in rule.destinations:
            found.setdefault(place.node, {})[rule.id] = rule
    return {name: tuple(rules.values()) for name, rules in found.items()}


def _about(mesh: Mesh, names: Collection[NodeName]) -> Mesh:
    """The mesh with the rules alone that speak of one of these nodes."""
    rules = (rule for rule in mesh.rules if any(place.node in names for place in rule.destinations))
    return replace(mesh, rules=tuple(rules))


def means_same(one: AuthzRule, other: AuthzRule) -> bool:
    """Whether two rules match and do the same where both are in force."""
    return (
        (one.effect, one.authorizer, one.layer, one.sources.has_internet)
        == (other.effect, other.authorizer, other.layer, other.sources.has_internet)
        and is_same(one.sources.matches, other.sources.matches)
        and is_same(one.operations, other.operations)
        and is_same(one.when, other.when)
    )


def stance_on(mesh: Mesh, node: Node) -> Stance:
    """What a mesh that does not declare a node says of requests to it (language.md, "Names" and "Sets")."""
    if isinstance(node, External):
        match mesh.egress:
            case Egress.CLOSED:
                return Stance.REFUSES
            case Egress.OPEN:
                return Stance.ALLOWS
            case None:
                return Stance.SILENT
    is_closed = any(one.is_closed for one in mesh.namespaces if one.name == node.namespace)
    return Stance.REFUSES if is_closed else Stance.SILENT


def may_allow(policy: PortPolicy) -> bool:
    """Whether anything at all can be allowed at a port."""
    is_open = policy.is_observed or bool(policy.open_layers)
    return is_open or any(rule.effect is Effect.ALLOW for rule in policy.rules)


def _keys(name: NodeName, ports: frozenset[int], node: Node) -> Iterator[PortKey]:
    declared = {port.workload for port in node.ports}
    spare = next(port for port in _SPARE_PORTS if port not in ports)
    for port in (*sorted(ports), spare):
        yield PortKey(name, port, is_declared=port in declared)


def _frame(policy: PortPolicy) -> object:
    """What decides at a port besides rules and routes."""
    issuers = tuple(
        (issuer.url, issuer.accepted_audiences, issuer.needs_audience, issuer.jwks, issuer.place)
        for issuer in policy.issuers
    )
    return (
        policy.layer,
        policy.mode,
        issuers,
        policy.open_layers,
        policy.is_observed,
        policy.is_gateway,
        policy.has_tls_without_identity,
    )


def _is_same_around(old: Mesh, new: Mesh) -> bool:
    """Whether all that is said about no single node is the same, gateways too, whose identities others look at."""
    parts = ((mesh.namespaces, mesh.issuers, mesh.mtls, mesh.egress, mesh.gateways) for mesh in (old, new))
    one, other = parts
    return is_same(one, other)
