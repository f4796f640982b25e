"""The proxies that judge: a declared service or gateway, and what each has to decide about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Exemption, External, Gateway, Layer, Service, ServicePort
from meshproof.compiler.ir.mesh import Mesh
from meshproof.targets.istio.clauses import Clause


@dataclass(frozen=True, slots=True)
class Judgement:
    """A rule at a workload: on these of the workload's ports, for what the clause `narrowed` takes too.

    `is_relayed`: it is about an external behind the gateway, to which callers come with mTLS; `is_opaque`: with TLS of
    their own inside, so that the gateway sees connections, whatever else it speaks on the port. `called` is the
    external's port, of which its rules speak, wherever they are judged.
    """

    rule: AuthzRule
    ports: tuple[int, ...]
    narrowed: Clause = ()
    is_relayed: bool = False
    is_opaque: bool = False
    called: int | None = None


Workload = Service | Gateway


def ports_of_layer(node: Workload | External, layer: Layer) -> frozenset[int]:
    """The workload ports on which the proxy sees requests (HTTP) or connections (TCP)."""
    return frozenset(port.workload for port in node.ports if port.layer is layer)


def spoken_ports(rule: AuthzRule, node: Workload | External, *, is_speaking_http: bool) -> tuple[int, ...]:
    """The declared workload ports of the node that the rule decides about, ascending.

    What comes to an undeclared port is refused anyway, so "every port" is every declared one; a rule that speaks of
    HTTP matches nothing on the others.
    """
    declared = {port.workload for port in node.ports}
    named: set[int] = set()
    for destination in rule.destinations:
        if destination.node == node.name:
            named |= declared if destination.ports is None else declared & set(destination.ports)
    if is_speaking_http:
        named -= ports_of_layer(node, Layer.TCP)
    if rule.layer is not None:
        named &= ports_of_layer(node, rule.layer)
    return tuple(sorted(named))


def port_of(node: Workload | External, workload_port: int) -> ServicePort | None:
    """The first declaration of the port on which the workload listens."""
    return next((port for port in node.ports if port.workload == workload_port), None)


def observation(mesh: Mesh, node: Workload, day: date) -> Exemption | None:
    """The `observe` of the node or its namespace that is in force: then nothing is refused there."""
    found = [namespace.observe for namespace in mesh.namespaces if namespace.name == node.namespace]
    if isinstance(node, Service):
        found.append(node.observe)
    return next((one for one in found if one is not None and is_current(one.until, day)), None)


def is_current(until: date | None, day: date) -> bool:
    """`until DATE` is through that day."""
    return until is None or day <= until


def is_emitted(rule: AuthzRule, day: date) -> bool:
    """Whether the rule is in the files of that day: what decides, and what is audited and has not ended."""
    if rule.is_enforced:
        return rule.is_in_force(day)
    return is_current(rule.until, day)


def first_wrong_day(ends: Iterable[date | None]) -> date | None:
    """The day after the first of these last days."""
    days = [end for end in ends if end is not None]
    return min(days) + timedelta(days=1) if days else None


def end_of(rule: AuthzRule) -> date | None:
    """The last day on which the rule stands in a file as it stands now: a deny or ask that decides never leaves."""
    if rule.is_enforced and rule.effect is not Effect.ALLOW:
        return None
    return rule.until
