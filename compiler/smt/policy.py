"""Everything that decides about the requests to one port, as of one day, taken out of a mesh."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import assert_never

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import (
    Exemption,
    External,
    Gateway,
    Issuer,
    Layer,
    Node,
    Protocol,
    Service,
    ServicePort,
    SourceSet,
)
from meshproof.compiler.ir.matchers import Present
from meshproof.compiler.ir.mesh import Egress, Mesh, PathMode
from meshproof.compiler.ir.mtls import MtlsMode, MtlsPolicy, PortScope, edge_policy, effective_policy
from meshproof.compiler.ir.names import AuthorizerName, NodeName, RuleId
from meshproof.compiler.ir.predicate import Always, SourceIdentity, Test, conjunction, disjunction, negation
from meshproof.compiler.ir.routing import Route
from meshproof.compiler.smt.atoms import opaques_of
from meshproof.compiler.smt.reading import Readings, RuleReading, ports_tested

_TLS = frozenset({Protocol.HTTPS, Protocol.TLS})
_SPARE_PORTS = range(49152, 65536)
_PORTS = range(1, 65536)


@dataclass(frozen=True, slots=True, order=True)
class PortKey:
    """A workload port of a node. `is_declared` is false for one that stands for ports which nobody declared."""

    node: NodeName
    port: int
    is_declared: bool = True


@dataclass(frozen=True, slots=True)
class PortPolicy:
    """What is in force at a port.

    `rules` are in force and speak of the port, in name order; they may bind on one layer alone. `mtls` is the statement
    that gives `mode`, if one does. `open_layers` are those on which what no rule decides is allowed. Under `observe`
    nothing is refused.
    """

    key: PortKey
    node: Node
    declared: ServicePort | None
    layer: Layer
    mode: MtlsMode
    mtls: MtlsPolicy | None
    rules: tuple[AuthzRule, ...]
    issuers: tuple[Issuer, ...]
    open_layers: tuple[Layer, ...]
    is_observed: bool
    route: Route | None
    route_tcp: Route | None
    paths: PathMode = PathMode.LANGUAGE
    other_paths: PathMode | None = None
    """How another policy that this one is compared with judges paths, if it does so in another way."""
    readings: Readings = field(default_factory=Readings, compare=False, repr=False)

    @property
    def is_gateway(self) -> bool:
        """Whether callers without identity come from the internet here."""
        return isinstance(self.node, Gateway)

    @property
    def has_tls_without_identity(self) -> bool:
        """Whether a caller without identity may bring a server name."""
        return self.declared is None or self.declared.layer is not Layer.HTTP or self.declared.protocol in _TLS

    @property
    def authorizers(self) -> tuple[AuthorizerName, ...]:
        """Who may be asked here, by name."""
        names = {rule.authorizer for rule in self.rules if rule.effect is Effect.ASK}
        return tuple(sorted(name for name in names if name is not None))

    def reading(self, rule: AuthzRule) -> RuleReading:
        """What a rule reads; worked out once for all ports that it speaks of."""
        return self.readings.of(rule)

    def layers_of(self, rule: AuthzRule) -> tuple[Layer, ...]:
        """The layers on which the rule binds here: one that speaks of HTTP matches nothing on TCP."""
        layers = (Layer.HTTP, Layer.TCP) if self.layer is Layer.SNIFFED else (self.layer,)
        is_http_only = self.reading(rule).is_http_only
        return tuple(
            layer for layer in layers if rule.layer in {None, layer} and not (layer is Layer.TCP and is_http_only)
        )


class Policies:
    """The port policies of a mesh on a day. With `audits` rules under `audit` are taken as enforced."""

    def __init__(self, mesh: Mesh, day: date, *, audits: bool = False) -> None:
        self.mesh = enforced(mesh) if audits else mesh
        self.day = day
        self._nodes = {node.name: node for node in self.mesh.nodes}
        self._readings = Readings()
        self._ports_tested: dict[RuleId, frozenset[int]] = {}
        self._rules: dict[NodeName, list[tuple[AuthzRule, frozenset[int] | None]]] = {}
        for rule in sorted(self.mesh.rules, key=lambda rule: rule.id):
            if rule.is_in_force(day):
                self._ports_tested[rule.id] = ports_tested(rule)
                for name, ports in _ports_by_node(rule).items():
                    self._rules.setdefault(name, []).append((rule, ports))
        self._mtls_ports = {scope.port for one in self.mesh.mtls if isinstance(scope := one.scope, PortScope)}
        self._observed = {namespace.name for namespace in self.mesh.namespaces if _is_exempt(namespace.observe, day)}

    def keys(self) -> tuple[PortKey, ...]:
        """Every port at which something may be allowed: the declared ones, and others that a rule or default opens."""
        found = [key for node in self.mesh.nodes for key in self._keys(node)]
        return tuple(sorted(found))

    def policy(self, key: PortKey) -> PortPolicy:
        """What is in force at a port of a declared node."""
        node = self._nodes[key.node]
        declared = next((port for port in node.ports if port.workload == key.port), None)
        mtls = self._mtls(node, key.port)
        return PortPolicy(
            key=key,
            node=node,
            declared=declared,
            layer=Layer.SNIFFED if declared is None else declared.layer,
            mode=_mode(node, mtls),
            mtls=mtls,
            rules=self._rules_at(key),
            issuers=self._issuers(node),
            open_layers=self._open_layers(node),
            is_observed=self._is_observed(node),
            route=self._route(key, Layer.HTTP),
            route_tcp=self._route(key, Layer.TCP),
            paths=self.mesh.paths,
            readings=self._readings,
        )

    def told_apart(self, name: NodeName) -> frozenset[int]:
        """The ports of a declared node that the policy declares, or that some statement tells apart from others."""
        node = self._nodes[name]
        return frozenset((*(port.workload for port in node.ports), *self._named_ports(node)))

    def _keys(self, node: Node) -> Iterable[PortKey]:
        declared = {port.workload for port in node.ports}
        yield from (PortKey(node.name, port) for port in sorted(declared))
        named = self._named_ports(node) - declared
        spare = next(port for port in _SPARE_PORTS if port not in named and port not in declared)
        for port in sorted({*named, spare}):
            key = PortKey(node.name, port, is_declared=False)
            if self._may_allow(node, key):
                yield key

    def _named_ports(self, node: Node) -> set[int]:
        """Ports that some statement tells apart from the others of the node."""
        found = set(self._mtls_ports)
        for rule, ports in self._rules.get(node.name, ()):
            found.update(ports or (), self._ports_tested[rule.id])
        return {port for port in found if port in _PORTS}

    def _may_allow(self, node: Node, key: PortKey) -> bool:
        if self._is_observed(node) or self._open_layers(node):
            return True
        return any(rule.effect is Effect.ALLOW for rule in self._rules_at(key))

    def _rules_at(self, key: PortKey) -> tuple[AuthzRule, ...]:
        rules = tuple(rule for rule, ports in self._rules.get(key.node, ()) if ports is None or key.port in ports)
        if not self.mesh.is_lifted:
            return rules
        return tuple(_with_modelled_sources(rule, self._nodes[key.node]) for rule in rules)

    def _mtls(self, node: Node, port: int) -> MtlsPolicy | None:
        if isinstance(node, Gateway):
            return edge_policy(self.mesh.mtls, node.name, port)
        if not isinstance(node, Service):
            return None
        return effective_policy(self.mesh.mtls, node.name, node.namespace, port, self.day)

    def _issuers(self, node: Node) -> tuple[Issuer, ...]:
        accepted = () if isinstance(node, External) else node.accepts
        return tuple(issuer for issuer in self.mesh.issuers if issuer.name in accepted)

    def _open_layers(self, node: Node) -> tuple[Layer, ...]:
        if isinstance(node, External):
            return (Layer.HTTP, Layer.TCP) if self.mesh.egress is Egress.OPEN else ()
        return node.default_allow

    def _is_observed(self, node: Node) -> bool:
        if isinstance(node, External):
            return False
        is_own = isinstance(node, Service) and _is_exempt(node.observe, self.day)
        return is_own or node.namespace in self._observed

    def _route(self, key: PortKey, layer: Layer) -> Route | None:
        """The route of the port itself, else the one for every HTTP port: what is not declared speaks no HTTP."""
        of_node = tuple(route for route in self.mesh.routes if route.node == key.node)
        chosen = next((route for route in of_node if route.is_at(key.port, layer)), None)
        if chosen is None and layer is Layer.HTTP and key.is_declared:
            return next((route for route in of_node if route.port is None), None)
        return chosen


def enforced(mesh: Mesh) -> Mesh:
    """The mesh with every rule under `audit` in force."""
    return replace(mesh, rules=tuple(replace(rule, is_enforced=True) for rule in mesh.rules))


def _mode(node: Node, mtls: MtlsPolicy | None) -> MtlsMode:
    match node:
        case Service():
            return MtlsMode.STRICT if mtls is None else mtls.mode
        case Gateway():
            return MtlsMode.PERMISSIVE if mtls is None else mtls.mode
        case External():
            return MtlsMode.STRICT
        case _:
            assert_never(node)


def _with_modelled_sources(rule: AuthzRule, node: Node) -> AuthzRule:
    """The rule with what is not modelled of its callers as a condition: a set of callers is a set of identities."""
    callers = rule.sources.matches
    if not opaques_of((callers,)):
        return rule
    if rule.sources.has_internet and isinstance(node, Gateway):
        callers = disjunction((callers, negation(Test(SourceIdentity(), Present()))))
    everyone = SourceSet(Always(), has_internet=True, members=(), shared=(), text="anyone")
    return replace(rule, sources=everyone, when=conjunction((callers, rule.when)))


def _ports_by_node(rule: AuthzRule) -> dict[NodeName, frozenset[int] | None]:
    """The ports of each node that a rule speaks of, None for all of them."""
    found: dict[NodeName, frozenset[int] | None] = {}
    for place in rule.destinations:
        known = found.get(place.node, frozenset())
        found[place.node] = None if known is None or place.ports is None else known | frozenset(place.ports)
    return found


def _is_exempt(exemption: Exemption | None, day: date) -> bool:
    return exemption is not None and (exemption.until is None or day <= exemption.until)
