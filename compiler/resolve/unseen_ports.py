"""Ports of lifted workloads that no Service shows: their proxies judge whatever comes to them, at any port.

A service of the language refuses what comes to a port that it does not declare, so its declared ports are all there
are. In foreign files the others may be as open as nobody meant them to be: a set names them too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.ir.entities import Service
from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.mtls import PortScope
from meshproof.compiler.ir.predicate import And, Not, Or, Port, Predicate, Test

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.names import NodeName

_UNASSIGNED = range(49152, 65536)
_HIGHEST = 65535


def unseen_ports(mesh: Mesh) -> Mapping[NodeName, frozenset[int]]:
    """For each lifted workload the undeclared ports that some statement tells apart, and one for all others."""
    if not mesh.is_lifted:
        return {}
    named: dict[NodeName, set[int]] = {service.name: set() for service in mesh.services}
    everywhere = {one.scope.port for one in mesh.mtls if isinstance(one.scope, PortScope)}
    for rule in mesh.rules:
        tested = set(_tested(rule.content))
        for place in rule.destinations:
            if place.node in named:
                named[place.node].update(tested, place.ports or ())
    return {service.name: _unseen(service, named[service.name] | everywhere) for service in mesh.services}


def _unseen(service: Service, named: set[int]) -> frozenset[int]:
    declared = {port.workload for port in service.ports}
    spare = next(port for port in _UNASSIGNED if port not in named and port not in declared)
    return frozenset(port for port in (*named, spare) if port not in declared and 0 < port <= _HIGHEST)


def _tested(predicate: Predicate) -> Iterator[int]:
    match predicate:
        case Test(Port(), Exact(value)) if value.isdecimal():
            yield int(value)
        case Not(operand):
            yield from _tested(operand)
        case And(operands) | Or(operands):
            for one in operands:
                yield from _tested(one)
        case _:
            return
