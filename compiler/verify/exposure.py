"""Who gets in without an identity."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.smt.policy import PortKey
from meshproof.compiler.smt.region import Identified, Outside, both
from meshproof.compiler.smt.solver import Undecided
from meshproof.compiler.verify.analysis import Analysis
from meshproof.compiler.verify.properties import ALLOWED
from meshproof.compiler.verify.verdict import Example, Unknown
from meshproof.compiler.verify.witness import Witness


@dataclass(frozen=True, slots=True)
class Exposed:
    """A port, a request without identity that is allowed there, and whether that is because nothing is refused."""

    key: PortKey
    name: str
    witness: Witness
    is_observed: bool

    @property
    def node(self) -> NodeName:
        """The node that is exposed."""
        return self.key.node


def plaintext_reachable(analysis: Analysis) -> Iterable[Exposed]:
    """Every port of a service at which a caller without identity is allowed something, by name.

    Gateways are left out: `internet` comes without identity. Raises Undecided once everything that was found has been
    given.
    """
    unknown: list[Unknown] = []
    region = both(ALLOWED, Outside(Identified()))
    for key in analysis.keys:
        scope = analysis.scope(key)
        if scope.policy.is_gateway:
            continue
        answer = scope.is_satisfiable(region)
        if isinstance(answer, Example):
            yield Exposed(key, scope.name, answer.witness, scope.policy.is_observed)
        elif isinstance(answer, Unknown):
            unknown.append(answer)
    if unknown:
        raise Undecided(unknown[0].reason)
