"""One port of one destination on one day: all that a decision there needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.decision import Decision, Reason
from meshproof.compiler.ir.entities import Exemption, External, Gateway, Issuer, Layer, Namespace, Node, Service
from meshproof.compiler.ir.mesh import Egress, Mesh
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import IssuerName, NodeName
from meshproof.runtime.engine.callers import Callers, Outcomes
from meshproof.runtime.engine.routes import RouteTable
from meshproof.runtime.engine.transport import Modes


@dataclass(frozen=True, slots=True)
class PortTable:
    """`layer` is None where nobody declared the port: either may be spoken there."""

    node: Node
    port: int
    layer: Layer | None
    mode: MtlsMode
    outcomes: Outcomes
    issuers: tuple[Issuer, ...]
    callers: Callers
    routes: RouteTable
    at_transport: Decision
    at_path: Decision
    at_token: Decision


class DayTables:
    """The tables of all ports, on days on which the same statements are in force; each is made when it is needed."""

    def __init__(self, mesh: Mesh, day: date) -> None:
        self._mesh = mesh
        self._day = day
        self._nodes: Mapping[NodeName, Node] = {node.name: node for node in mesh.nodes}
        self._issuers = {issuer.name: issuer for issuer in mesh.issuers}
        self._namespaces = {namespace.name: namespace for namespace in mesh.namespaces}
        self._modes = Modes(mesh.mtls, day)
        self._rules: dict[NodeName, list[tuple[AuthzRule, tuple[int, ...] | None]]] = {}
        for rule in mesh.rules:
            if _is_in_force(rule, day):
                for destination in rule.destinations:
                    self._rules.setdefault(destination.node, []).append((rule, destination.ports))
        self._ports: dict[tuple[NodeName, int], PortTable] = {}

    def table(self, name: NodeName, port: int) -> PortTable | None:
        """The table of a port; None where nothing of that name is declared."""
        found = self._ports.get((name, port))
        if found is None and (node := self._nodes.get(name)) is not None:
            found = self._made(node, port)
            if found.layer is not None:  # anybody may dial what nobody declared: that is not kept
                self._ports[name, port] = found
        return found

    def _made(self, node: Node, port: int) -> PortTable:
        declared = next((one for one in node.ports if one.workload == port), None)
        outcomes = Outcomes(self._is_observed(node), isinstance(node, External) and self._mesh.egress is Egress.OPEN)
        rules = {
            rule.id: rule for rule, ports in self._rules.get(node.name, ()) if ports is None or port in ports
        }.values()
        return PortTable(
            node=node,
            port=port,
            layer=None if declared is None else declared.layer,
            mode=self._modes.mode(node, port),
            outcomes=outcomes,
            issuers=self._accepted(node),
            callers=Callers(tuple(rules), port, outcomes, takes_internet=isinstance(node, Gateway)),
            routes=RouteTable(
                self._mesh.routes,
                node.name,
                port,
                is_http=declared is not None and declared.layer is Layer.HTTP,
                sees_tokens=isinstance(node, Gateway),
            ),
            at_transport=outcomes.refused(Reason.TRANSPORT),
            at_path=outcomes.refused(Reason.PATH),
            at_token=outcomes.refused(Reason.TOKEN),
        )

    def _is_observed(self, node: Node) -> bool:
        """What stands at a namespace holds for all that is declared in it: services and gateways."""
        if isinstance(node, External):
            return False
        namespace: Namespace | None = self._namespaces.get(node.namespace)
        own = node.observe if isinstance(node, Service) else None
        return any(
            one is not None and (one.until is None or self._day <= one.until)
            for one in (own, None if namespace is None else namespace.observe)
        )

    def _accepted(self, node: Node) -> tuple[Issuer, ...]:
        names: tuple[IssuerName, ...] = () if isinstance(node, External) else node.accepts
        return tuple(self._issuers[name] for name in sorted(names))


def _is_in_force(rule: AuthzRule, day: date) -> bool:
    """An allow ends with its day; a deny or an ask stays, and an audit never decides."""
    return rule.is_enforced and (rule.effect is not Effect.ALLOW or rule.until is None or day <= rule.until)


def last_days(mesh: Mesh) -> tuple[date, ...]:
    """The days after which something is no longer in force, ascending."""
    exemptions: tuple[Exemption | None, ...] = (
        *(one.observe for one in mesh.services),
        *(one.observe for one in mesh.namespaces),
    )
    found = {
        *(rule.until for rule in mesh.rules if rule.effect is Effect.ALLOW),
        *(one.until for one in mesh.mtls if one.mode is not MtlsMode.STRICT),
        *(one.until for one in exemptions if one is not None),
    }
    return tuple(sorted(day for day in found if day is not None))
