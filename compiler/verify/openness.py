"""How open each workload is: to anyone, to whoever has an identity, to callers that rules name, or to nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.entities import External
from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.names import NodeName, SpiffeId
from meshproof.compiler.ir.predicate import SourceIdentity, Test
from meshproof.compiler.ir.request import Request
from meshproof.compiler.resolve.callers import takes
from meshproof.compiler.smt.policy import PortPolicy
from meshproof.compiler.smt.region import Identified, Outside, Region, Satisfying, both
from meshproof.compiler.verify.analysis import Analysis, ScopeKey
from meshproof.compiler.verify.properties import ALLOWED
from meshproof.compiler.verify.unseen_ports import guessed_gateways
from meshproof.compiler.verify.verdict import Example, Unknown

_STRANGER = ("x-nobody-declares-this", "x-nobody")
"""Namespace and account of a caller that no file names, so that only rules for all identities let it in."""


class Level(IntEnum):
    """How open a workload is, the most open last; not known counts for more than what is known to be closed."""

    NOBODY = 0
    NAMED = 1
    NOT_KNOWN = 2
    IDENTIFIED = 3
    ANYONE = 4


@dataclass(frozen=True, slots=True)
class Openness:
    """How open a workload is at its most open port, with a request that shows it."""

    node: NodeName
    level: Level
    request: Request | None


def openness(analysis: Analysis) -> tuple[Openness, ...]:
    """Every workload and gateway, by name; ports that nobody declares count where there are no others."""
    declared = {key.node for key in analysis.scopes()}
    found: dict[NodeName, Openness] = {}
    for key in analysis.keys:
        if isinstance(analysis.mesh.node(key.node), External) or (key.node in declared and not key.is_declared):
            continue
        one = _at_port(analysis, key)
        known = found.get(key.node)
        if known is None or one.level > known.level:
            found[key.node] = one
    for name in guessed_gateways(analysis.mesh):
        if name in found and found[name].level < Level.NOT_KNOWN:
            found[name] = Openness(name, Level.NOT_KNOWN, None)
    return tuple(found[name] for name in sorted(found))


def _at_port(analysis: Analysis, key: ScopeKey) -> Openness:
    scope = analysis.scope(key)
    has_unknown = False
    for level, region in _levels(scope.policy, analysis.mesh.trust_domain):
        answer = scope.is_satisfiable(region)
        if isinstance(answer, Unknown):
            has_unknown = True
        elif isinstance(answer, Example):
            plain = scope.is_satisfiable(both(ALLOWED, Identified())) if level is Level.IDENTIFIED else answer
            shown = plain if isinstance(plain, Example) else answer  # of a caller that is known, where there is one
            return Openness(key.node, Level.NOT_KNOWN if has_unknown else level, shown.witness.request)
    return Openness(key.node, Level.NOT_KNOWN if has_unknown else Level.NOBODY, None)


def _levels(policy: PortPolicy, trust_domain: str) -> Iterator[tuple[Level, Region]]:
    """What is allowed of each kind of caller, the most open kind first, where any rule could let such a caller in."""
    stranger = SpiffeId.of_account(trust_domain, *_STRANGER).uri
    if _may_let_in(policy, None):
        yield Level.ANYONE, both(ALLOWED, Outside(Identified()))
    if _may_let_in(policy, stranger):
        yield Level.IDENTIFIED, both(ALLOWED, Satisfying(Test(SourceIdentity(), Exact(stranger))))
    yield Level.NAMED, ALLOWED


def _may_let_in(policy: PortPolicy, identity: str | None) -> bool:
    """Whether something allows a caller with this identity (None: without one), as far as callers decide."""
    allows = (rule for rule in policy.rules if rule.effect is Effect.ALLOW)
    return policy.is_observed or bool(policy.open_layers) or any(takes(one.sources.matches, identity) for one in allows)
