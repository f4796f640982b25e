"""Gateways of which no file shows the Service: where they listen is a guess, and rules that name ports may miss it.

A server of Istio's `Gateway` has the number that callers dial. The pods listen at what the Service makes of it, which
is what rules compare: 8080 for 80 where Istio installs the gateway.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.compiler.ir.assertions import Statement
from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.entities import Gateway
from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import Port
from meshproof.compiler.smt.atoms import tests_of
from meshproof.compiler.verify.reads import destinations_of


def doubtful_gateways(mesh: Mesh, statement: Statement) -> tuple[str, ...]:
    """The gateways on whose unseen ports a claim depends: those that it names. Chains go by ports of any number."""
    named = {place.node for place in destinations_of(statement)}
    return tuple(name for name in guessed_gateways(mesh) if name in named)


def guessed_gateways(mesh: Mesh) -> tuple[NodeName, ...]:
    """The gateways whose ports no file shows, and of which rules speak by port, in name order."""
    unsure = (gateway for gateway in mesh.gateways if not gateway.are_ports_known)
    return tuple(sorted(gateway.name for gateway in unsure if ports_in_rules(mesh, gateway)))


def ports_in_rules(mesh: Mesh, gateway: Gateway) -> frozenset[int]:
    """The ports of which rules about the gateway speak."""
    rules = (rule for rule in mesh.rules if any(place.node == gateway.name for place in rule.destinations))
    return frozenset(port for rule in rules for port in _ports(rule, gateway.name))


def _ports(rule: AuthzRule, name: NodeName) -> Iterator[int]:
    for place in rule.destinations:
        if place.node == name:
            yield from place.ports or ()
    for test in tests_of((rule.content,)):
        if test.attribute == Port() and isinstance(test.matcher, Exact):
            yield int(test.matcher.value)
