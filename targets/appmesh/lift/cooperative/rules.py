"""Who comes to a listener where callers are honest: nodes whose proxies send to it, and gateways that lead there.

A caller is told by its node, which its own proxy vouches for: a certificate is asked for at few listeners.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Destination, Layer
from meshproof.compiler.ir.matchers import Exact, Present
from meshproof.compiler.ir.mtls import MtlsMode, MtlsPolicy
from meshproof.compiler.ir.names import NodeName, RuleId
from meshproof.compiler.ir.predicate import (
    Always,
    Never,
    Opaque,
    Predicate,
    SourceIdentity,
    Test,
    conjunction,
    disjunction,
    negation,
    reads_http,
)
from meshproof.targets.appmesh.lift.composed.transport import is_closed
from meshproof.targets.appmesh.lift.cooperative.connecting import connects
from meshproof.targets.appmesh.lift.cooperative.ways import Way, Ways
from meshproof.targets.appmesh.lift.found import Found, Resources
from meshproof.targets.appmesh.lift.listeners import Accepting, rules_of
from meshproof.targets.common.callers import Identities
from meshproof.targets.common.callers_text import callers_text

HONESTY = (
    "every caller's own proxy is honest: what backends, routes and client TLS refuse is cooperative, not enforced",
    "callers are the nodes and gateways of these files, which hold the whole mesh, and are told by their nodes",
    "certificates are what those who ask for them want, unless files say otherwise",
)


@dataclass(frozen=True, slots=True)
class Caller:
    """A node or a gateway, and who it is: others may be the same to whoever asks for certificates."""

    found: Found[Any]
    identity: str
    is_gateway: bool


class Honest:
    """What is let in, with callers' own proxies between.

    Where the egress filter lets everything out (`is_open`) those keep nothing: all is as servers enforce it.
    """

    def __init__(self, resources: Resources, callers: Iterable[Caller], identities: Identities) -> None:
        ways = Ways(resources)
        self._is_closed = is_closed(resources)
        self.is_open = bool(resources.meshes) and not self._is_closed
        self._callers: dict[str, list[tuple[Caller, tuple[Way, ...]]]] = {}
        for one in callers:
            found = ways.of_gateway(one.found) if one.is_gateway else ways.of_node(one.found)
            self._callers.setdefault(one.identity, []).append((one, tuple(found)))
        self._identities = identities

    def rules(self, node: Found[Any], name: NodeName, listeners: tuple[Accepting, ...]) -> Iterator[AuthzRule]:
        """What the listeners of a node let in of what is sent to them."""
        enforced = tuple(rules_of(name, listeners, self._identities))
        if self.is_open:
            yield from enforced
            return
        for one in listeners:
            yield from self._at(node, name, one)
        if not self._is_closed:
            # No file has the mesh, so whether its proxies keep anything nobody tells.
            for rule in enforced:
                doubt = Opaque("the egress filter of the mesh", rule.origin)
                yield replace(rule, id=RuleId(f"{rule.id}/unfiltered"), when=doubt)

    def _at(self, node: Found[Any], name: NodeName, listener: Accepting) -> Iterator[AuthzRule]:
        """The rules at one listener: callers that may send the same, together."""
        groups: dict[Predicate, list[str]] = {}
        for identity in sorted(self._callers):
            condition = self._sent(identity, node, listener)
            if condition != Never():
                groups.setdefault(condition, []).append(identity)
        strangers = self._strangers(listener)
        if strangers != Never():
            groups.setdefault(Always(), [])
        for number, (condition, identities) in enumerate(groups.items(), start=1):
            who = disjunction(tuple(Test(SourceIdentity(), Exact(one)) for one in identities))
            sources = disjunction((who, strangers)) if condition == Always() else who
            yield AuthzRule(
                id=RuleId(f"{name}:{listener.port.number}" + (f"/{number}" if len(groups) > 1 else "")),
                effect=Effect.ALLOW,
                sources=self._identities.source_set(sources, callers_text(sources)),
                destinations=(Destination(name, (listener.port.workload,)),),
                operations=(),
                when=condition,
                origin=listener.origin,
            )

    def _strangers(self, listener: Accepting) -> Predicate:
        """Whoever else has a certificate that is asked for: of their proxies nothing is known."""
        if listener.mode is MtlsMode.DISABLED:
            return Never()
        others = tuple(one for one in listener.names if not self._is_known(one))
        if listener.names and not any(isinstance(one, Opaque) for one in others):
            return disjunction(others)
        known = disjunction(tuple(Test(SourceIdentity(), Exact(one)) for one in sorted(self._callers)))
        return conjunction((disjunction(others or (Test(SourceIdentity(), Present()),)), negation(known)))

    def _is_known(self, name: Predicate) -> bool:
        return isinstance(name, Test) and isinstance(name.matcher, Exact) and name.matcher.value in self._callers

    def _sent(self, identity: str, node: Found[Any], listener: Accepting) -> Predicate:
        """When callers of an identity send to the listener; where not all of them do the same, nobody tells."""
        each = tuple(dict.fromkeys(self._by(one, ways, node, listener) for one, ways in self._callers[identity]))
        if len(each) == 1:
            return each[0]
        apart = Opaque(f"which of those that are `{identity}` calls", listener.origin)
        return disjunction((conjunction(each), conjunction((disjunction(each), apart))))

    def _by(self, one: Caller, ways: tuple[Way, ...], node: Found[Any], listener: Accepting) -> Predicate:
        if one.found.owner is not None and one.found.owner.has_groups:
            return Opaque(f"the backend groups of `{one.found.name}`", one.found.origin)
        tls = _tls(node, listener)
        conditions = []
        for way in ways:
            if (way.node, way.port) == (node.name, listener.port.number):
                # What a gateway's routes ask for is judged at the gateway, and may be rewritten since.
                asked = Always() if one.is_gateway else _seen(way.condition, listener)
                conditions.append(conjunction((asked, connects(way, tls, listener.origin))))
        return disjunction(tuple(dict.fromkeys(conditions)))


def _seen(condition: Predicate, listener: Accepting) -> Predicate:
    """The condition, as far as the listener reads what it is about: of connections it reads nothing."""
    if listener.port.layer is Layer.TCP and reads_http(condition):
        return Opaque("what routes ask of requests that come as connections", listener.origin)
    return condition


def _tls(node: Found[Any], listener: Accepting) -> Any:  # noqa: ANN401  of a listener
    return next(one.tls for one in node.value.spec.listeners if one.port_mapping.port == listener.port.number)


def told(statements: Iterable[MtlsPolicy]) -> tuple[MtlsPolicy, ...]:
    """How connections are taken where callers are told by their nodes: that is no sign of mTLS where none is asked."""
    return tuple(
        one if one.mode is MtlsMode.STRICT else replace(one, mode=MtlsMode.PERMISSIVE, is_told=True)
        for one in statements
    )
