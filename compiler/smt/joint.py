"""Two policies of one port over one symbolic request, so that what is allowed by one can be compared with the other.

What tells requests apart is what either policy can tell apart, so that every point means the same to both. Raises
Undecided where there is no exact encoding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.entities import Issuer, Layer
from meshproof.compiler.ir.matchers import Exact, Matcher, Present
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.predicate import (
    ClientIp,
    Opaque,
    Predicate,
    SourceIdentity,
    Test,
    TokenAudience,
    TokenIssuer,
    attributes_of,
)
from meshproof.compiler.smt.atoms import matchers_by_attribute, opaques_of
from meshproof.compiler.smt.encode_routing import encode_conditions, encode_taken
from meshproof.compiler.smt.environment import Environment
from meshproof.compiler.smt.formula import FALSE, TRUE, Formula, Formulas, Point
from meshproof.compiler.smt.joint_callers import JointCallers, SideCallers
from meshproof.compiler.smt.policy import PortPolicy
from meshproof.compiler.smt.repeated import Repeated
from meshproof.compiler.smt.solver import Limits, Solver, Undecided
from meshproof.compiler.smt.variables import environment_of
from meshproof.compiler.smt.view import View

_MOST_OPAQUES = 6

OpaqueKey: TypeAlias = Callable[[str, Opaque, int], str]
"""Of a rule or branch by name and a side, 0 or 1: what is not modelled is the same on both if it has the same key."""


def key_of_opaque(statement: str, opaque: Opaque, side: int) -> str:
    """The same field of the same statement."""
    del side
    return f"{statement} {opaque.field}"


@dataclass(frozen=True, slots=True)
class Certain:
    """Where a formula holds whatever is not modelled may be, and where it may hold."""

    certainly: Formula
    possibly: Formula


class Joint:
    """One symbolic request to a port, and both policies as views of it."""

    def __init__(  # noqa: PLR0913  both sides, and how they are compared
        self,
        old: PortPolicy,
        new: PortPolicy,
        callers: JointCallers,
        *,
        extra: Iterable[Predicate] = (),
        opaque_key: OpaqueKey = key_of_opaque,
        repeated: Repeated = Repeated.REFUSED,
        limits: Limits,
    ) -> None:
        self.callers = callers
        self.old_policy, self.new_policy = old, new
        merged = _merged(old, new)
        is_token_compared = _issuers(old) != _issuers(new)
        conditions = dict.fromkeys((*conditions_of(old), *conditions_of(new), *extra))
        if is_token_compared:
            conditions.update(dict.fromkeys(_token_conditions(merged.issuers)))
        sets = _sets(callers, (old, new), tuple(conditions))
        # Who has an identity has none where mTLS is disabled; who has none is the same caller on both sides.
        is_disabled = MtlsMode.DISABLED in {old.mode, new.mode}
        self.environment: Environment = environment_of(
            merged, callers.new, tuple(conditions), sets, repeated=repeated, prefers_anonymous=is_disabled
        )
        self.conditions = tuple(conditions)
        self._share_opaques(opaque_key)
        self.unreadable = self._unreadable() if is_token_compared else None
        self.old = self.view(old, callers.old)
        self.new = self.view(new, callers.new)
        self._limits = limits
        self._solver: Solver | None = None

    @property
    def formulas(self) -> Formulas:
        """The factory of all formulas here."""
        return self.environment.formulas

    @property
    def solver(self) -> Solver:
        """The solver, made at the first question that needs one."""
        if self._solver is None:
            self._solver = Solver(self.formulas, self.environment.axioms, self._limits)
        return self._solver

    def view(self, policy: PortPolicy, callers: SideCallers) -> View:
        """The common request as a policy sees it: one of both sides, or one made of parts of both."""
        environment = self.environment
        is_http = environment.is_http
        if policy.layer is Layer.TCP:
            is_http = FALSE
        local = environment.local
        if policy.mode is MtlsMode.DISABLED:
            local = (callers.anonymous,) * len(local)
        return View(
            policy,
            callers,
            environment.formulas,
            environment.caller,
            local,
            is_http,
            singles=environment.singles,
            multiples=environment.multiples,
            issuer=environment.issuer,
            issuer_urls=environment.issuer_urls,
            answers=environment.answers,
            opaques=environment.opaques,
            repeated=environment.repeated,
            side=callers,
            unreadable=self.unreadable,
        )

    def taken(self, view: View) -> dict[str | None, Formula]:
        """What each branch of a side's route takes, and under None what none takes.

        A route is read where a request is sent, so its caller is who its own proxy says that it is.
        """
        at_sender = self.view(view.policy, self.callers.senders[view is not self.old])
        return encode_taken(at_sender, encode_conditions(at_sender))

    def find(self, parts: Sequence[Formula]) -> Point | None:
        """A point in all parts, without the solver where that is plain. Raises Undecided at a limit."""
        formula = self.formulas.conjunction(parts)
        return None if formula == FALSE else self.solver.find((formula,))

    def is_empty(self, *parts: Formula) -> bool:
        """Whether no request is in all parts. Raises Undecided at a limit."""
        return self.find(parts) is None

    def certain(self, formula: Formula) -> Certain:
        """Where the formula holds in all worlds, and where in some. Raises Undecided if there are too many."""
        read = self.formulas.variables_of((formula,))
        unmodelled = sorted(set(self.environment.opaques.values()) & read)
        if len(unmodelled) > _MOST_OPAQUES:
            raise Undecided(f"it depends on {self.unmodelled_in(formula)}, which is not modelled")
        certainly = possibly = formula
        for variable in unmodelled:
            certainly = self.formulas.conjunction(self._either_way(certainly, variable))
            possibly = self.formulas.disjunction(self._either_way(possibly, variable))
        return Certain(certainly, possibly)

    def unmodelled_in(self, formula: Formula) -> str:
        """What is not modelled and read by the formula, for people."""
        read = self.formulas.variables_of((formula,))
        fields = (opaque.field for opaque, variable in self.environment.opaques.items() if variable in read)
        return ", ".join(f"`{field}`" for field in dict.fromkeys(fields))

    def _either_way(self, formula: Formula, variable: int) -> tuple[Formula, Formula]:
        no, yes = (self.formulas.substituted(formula, {variable: value}) for value in (0, 1))
        return no, yes

    def _share_opaques(self, key: OpaqueKey) -> None:
        """One variable for what is not modelled and has one key."""
        known: dict[str, int] = {}
        shared: dict[Opaque, int] = {}
        for side, policy in enumerate((self.old_policy, self.new_policy)):
            for statement, predicate in _statements(policy):
                for opaque in opaques_of((predicate,)):
                    variable = shared.get(opaque, self.environment.opaques[opaque])
                    shared[opaque] = known.setdefault(key(statement, opaque, side), variable)
        self.environment.opaques.update(shared)

    def _unreadable(self) -> int:
        """The variable of a token that neither side accepts, beside which there is no valid one."""
        formulas = self.formulas
        variable = formulas.variable(2)
        is_absent = formulas.literal(variable, 0b01)
        if self.environment.issuer is not None:
            has_none = formulas.literal(self.environment.issuer, 0b1)
            self.environment.axioms.append(formulas.disjunction((is_absent, has_none)))
        if self.environment.is_http != TRUE:
            self.environment.axioms.append(formulas.disjunction((is_absent, self.environment.is_http)))
        return variable


def conditions_of(policy: PortPolicy) -> Iterable[Predicate]:
    """The conditions that decide at a port, of rules and of branches."""
    return (predicate for _, predicate in _statements(policy))


def _statements(policy: PortPolicy) -> Iterable[tuple[str, Predicate]]:
    for rule in policy.rules:
        yield rule.id, rule.content
    yield from _branches(policy)


def routed_conditions(policy: PortPolicy) -> Iterable[Predicate]:
    """The conditions of branches at a port."""
    return (predicate for _, predicate in _branches(policy))


def identities_in(conditions: Iterable[Predicate]) -> tuple[Matcher, ...]:
    """The tests of identities in conditions."""
    return matchers_by_attribute(conditions).get(SourceIdentity(), ())


def _branches(policy: PortPolicy) -> Iterable[tuple[str, Predicate]]:
    for route in (policy.route, policy.route_tcp):
        for branch in route.branches if route is not None else ():
            yield branch.id, branch.condition


def _issuers(policy: PortPolicy) -> tuple[tuple[str, tuple[str, ...], bool], ...]:
    return tuple((issuer.url, issuer.accepted_audiences, issuer.needs_audience) for issuer in policy.issuers)


def _token_conditions(issuers: tuple[Issuer, ...]) -> Iterable[Predicate]:
    """What tells apart the tokens that one side accepts and the other does not."""
    yield Test(TokenIssuer(), Present())
    for issuer in issuers:
        for audience in issuer.accepted_audiences:
            yield Test(TokenAudience(), Exact(audience))


def _sets(
    callers: JointCallers, policies: tuple[PortPolicy, PortPolicy], conditions: tuple[Predicate, ...]
) -> Mapping[int, None]:
    """The sets of callers that either side tells apart."""
    masks = {1 << number: None for number, one in enumerate(callers.classes) if one.workloads}
    read = identities_in(conditions)
    is_client_read = any(ClientIp() in attributes_of(one) for one in conditions)
    for side in (callers.old, callers.new):
        masks[side.untrusted] = None
        if is_client_read:
            masks[side.gateways] = None
        masks.update(dict.fromkeys(side.mask(matcher) for matcher in read))
    for side, policy in zip(callers.senders, policies, strict=True):
        routed = tuple(routed_conditions(policy))
        masks.update(dict.fromkeys(side.mask(one) for one in identities_in(routed)))
        if any(ClientIp() in attributes_of(one) for one in routed):
            masks[side.gateways] = None
    rules: tuple[AuthzRule, ...] = (*policies[0].rules, *policies[1].rules)
    for rule in rules:  # each as both sides would read it, for policies made of parts of both
        for side in (callers.old, callers.new):
            masks[side.of_sources(rule.sources, is_gateway=True)] = None
            masks[side.of_sources(rule.sources, is_gateway=False)] = None
    return masks


def _merged(old: PortPolicy, new: PortPolicy) -> PortPolicy:
    """A port to which everything can come that can come to either, for the variables of the request."""
    is_known = new.declared is not None and (not old.has_tls_without_identity or new.has_tls_without_identity)
    shown = new if is_known else old if old.declared is not None else new
    is_disabled = old.mode is MtlsMode.DISABLED and new.mode is MtlsMode.DISABLED
    return replace(
        new,
        declared=None if _is_tls_lost(shown, (old, new)) else shown.declared,
        layer=old.layer if old.layer is new.layer else Layer.SNIFFED,
        mode=MtlsMode.DISABLED if is_disabled else MtlsMode.PERMISSIVE,
        rules=(*old.rules, *new.rules),
        issuers=tuple(dict.fromkeys((*old.issuers, *new.issuers))),
        other_paths=old.paths if old.paths is not new.paths else None,
    )


def _is_tls_lost(shown: PortPolicy, policies: tuple[PortPolicy, PortPolicy]) -> bool:
    """Whether a server name can come to one of the ports without an identity, and not to the one that is shown."""
    return not shown.has_tls_without_identity and any(policy.has_tls_without_identity for policy in policies)
