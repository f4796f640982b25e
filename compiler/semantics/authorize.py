"""Step 4 of "What happens to a request": asks, denies, allows, and what is done with the rest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.decision import Decision, Reason
from meshproof.compiler.ir.entities import External, Gateway, Layer, Node, SourceSet
from meshproof.compiler.ir.mesh import Egress, Mesh
from meshproof.compiler.ir.predicate import Opaque, Predicate, reads_http
from meshproof.compiler.ir.request import Request
from meshproof.compiler.semantics.errors import MalformedRequest, MissingAnswer, NotModelled
from meshproof.compiler.semantics.facts import Facts
from meshproof.compiler.semantics.truth import (
    World,
    cause,
    conjunction_of,
    disjunction_of,
    opaques_in,
    truth,
    worlds,
)
from meshproof.compiler.semantics.wellformed import layer_of


@dataclass(frozen=True, slots=True)
class _Case:
    """One rule before one request, in one world: whether it matches, None where nobody can tell."""

    rule: AuthzRule
    is_match: bool | None


@dataclass(frozen=True, slots=True)
class _Doubt:
    """How doubt is settled: what nobody can tell for or against the request, and what an authorizer would say."""

    is_for: bool
    is_yes: bool


_DOUBTS = tuple(_Doubt(is_for, is_yes) for is_for in (True, False) for is_yes in (True, False))


def authorize(mesh: Mesh, node: Node, request: Request, facts: Facts, day: date) -> Decision:
    """The decision of the rules in force on `day` over a request that came through the steps before.

    Raises `NotModelled`, `MalformedRequest` (a field is left out) or `MissingAnswer` if the outcome hangs on what is
    not told. If only the reason does, it is that of the case in which nothing unknown is so and who is asked says yes.
    """
    rules = speaking_rules(mesh, request, facts, day)
    cases = _cases(node, rules, facts)
    decisions = {doubt: _decide(mesh, node, request, cases[0], doubt) for doubt in _DOUBTS}
    allowed = {_decide(mesh, node, request, case, doubt).is_allowed for case in cases for doubt in _DOUBTS}
    if allowed == {True}:
        return decisions[_Doubt(is_for=False, is_yes=True)]  # allowed in spite of every doubt: it names what is certain
    if allowed == {False}:
        return decisions[_Doubt(is_for=True, is_yes=True)]
    raise _why_open(mesh, node, request, rules, facts)


def speaking_rules(mesh: Mesh, request: Request, facts: Facts, day: date) -> tuple[AuthzRule, ...]:
    """The rules in force that speak of the destination, its port and its layer, in name order."""
    return tuple(
        rule
        for rule in sorted(mesh.rules, key=lambda rule: rule.id)
        if rule.is_in_force(day) and _is_aimed_at(rule, request) and _speaks_of(rule, facts.layer)
    )


def rule_truth(rule: AuthzRule, node: Node, facts: Facts, world: World) -> bool | None:
    """Whether the rule matches: "some operation and all `when` and no `unless`", from one of its sources."""
    return conjunction_of((source_truth(rule.sources, node, facts, world), truth(rule.content, facts, world)))


def source_truth(sources: SourceSet, node: Node, facts: Facts, world: World) -> bool | None:
    """Whether the caller is in the set: "`internet` is every caller without identity that comes to a gateway"."""
    is_internet = sources.has_internet and isinstance(node, Gateway) and facts.identity is None
    return disjunction_of((is_internet, truth(sources.matches, facts, world)))


def _is_aimed_at(rule: AuthzRule, request: Request) -> bool:
    return any(
        destination.node == request.destination and (destination.ports is None or request.port in destination.ports)
        for destination in rule.destinations
    )


def _speaks_of(rule: AuthzRule, layer: Layer) -> bool:
    """Whether the rule speaks of requests or connections: one that has operations or reads HTTP "speaks of HTTP ports
    alone; on tcp and opaque tls it matches nothing, whatever its effect".
    """  # noqa: D205
    if rule.layer is not None and rule.layer is not layer:
        return False
    return layer is Layer.HTTP or not (rule.operations or reads_http(rule.when))


def _cases(node: Node, rules: tuple[AuthzRule, ...], facts: Facts) -> tuple[tuple[_Case, ...], ...]:
    """The rules before the request, once for each way in which what is not modelled may be."""
    return tuple(
        tuple(_Case(rule, rule_truth(rule, node, facts, world)) for rule in rules)
        for world in worlds(_opaques(node, rules, facts))
    )


def _opaques(node: Node, rules: tuple[AuthzRule, ...], facts: Facts) -> tuple[Opaque, ...]:
    """What is not modelled and may matter: a rule that fails for another reason does not count."""
    predicates = _open_predicates(node, rules, facts)
    return tuple(dict.fromkeys(opaque for predicate in predicates for opaque in opaques_in(predicate)))


def _open_predicates(node: Node, rules: tuple[AuthzRule, ...], facts: Facts) -> tuple[Predicate, ...]:
    open_rules = (rule for rule in rules if rule_truth(rule, node, facts, {}) is None)
    return tuple(predicate for rule in open_rules for predicate in (rule.sources.matches, rule.content))


def _decide(mesh: Mesh, node: Node, request: Request, cases: tuple[_Case, ...], doubt: _Doubt) -> Decision:
    """The four sentences of step 4, with every doubt settled one way."""
    # "A matching `ask` that gets no yes refuses." Those that got one did not decide.
    answers = dict(request.answers)
    asks = tuple(
        rule.id
        for rule in _matching(cases, Effect.ASK, doubt)
        if rule.authorizer is None or not answers.get(rule.authorizer, doubt.is_yes)
    )
    if asks:
        return Decision(is_allowed=False, reason=Reason.ASK, determined_by=asks)
    # "A matching `deny` in force refuses."
    denies = tuple(rule.id for rule in _matching(cases, Effect.DENY, doubt))
    if denies:
        return Decision(is_allowed=False, reason=Reason.RULE, determined_by=denies)
    # "Else a matching `allow` in force allows."
    allows = tuple(rule.id for rule in _matching(cases, Effect.ALLOW, doubt))
    if allows:
        return Decision(is_allowed=True, reason=Reason.RULE, determined_by=allows)
    # "Else it is refused."
    return Decision(is_allowed=is_open_by_default(mesh, node, layer_of(request)), reason=Reason.DEFAULT)


def is_open_by_default(mesh: Mesh, node: Node, layer: Layer) -> bool:
    """Whether what no rule decides is allowed: never in the language, but for externals under `egress open`."""
    if isinstance(node, External):
        return mesh.egress is Egress.OPEN
    return layer in node.default_allow


def _matching(cases: tuple[_Case, ...], effect: Effect, doubt: _Doubt) -> tuple[AuthzRule, ...]:
    """The rules of the effect that match; of those of which nobody can tell, all or none."""
    otherwise = doubt.is_for if effect is Effect.ALLOW else not doubt.is_for
    found = (case for case in cases if case.rule.effect is effect)
    return tuple(case.rule for case in found if (otherwise if case.is_match is None else case.is_match))


def _why_open(
    mesh: Mesh, node: Node, request: Request, rules: tuple[AuthzRule, ...], facts: Facts
) -> NotModelled | MalformedRequest | MissingAnswer:
    """What the outcome hangs on: an answer if that alone would settle it, else what a condition does not know."""
    cases = _cases(node, rules, facts)
    said_yes = tuple(doubt for doubt in _DOUBTS if doubt.is_yes)
    outcomes = {_decide(mesh, node, request, case, doubt).is_allowed for case in cases for doubt in said_yes}
    if len(outcomes) > 1:
        return cause(_open_predicates(node, rules, facts), facts)
    answers = dict(request.answers)
    asked = (case.rule.authorizer for case in cases[0] if case.rule.effect is Effect.ASK and case.is_match is not False)
    return MissingAnswer(next(name for name in asked if name is not None and name not in answers))
