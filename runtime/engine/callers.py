"""What one class of callers can meet at one port: every caller that the same rules take shares one table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.decision import Decision, Reason
from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.names import AuthorizerName, RuleId
from meshproof.compiler.ir.predicate import Never, Or, Predicate, SourceIdentity, Test
from meshproof.runtime.engine.conditions import settled
from meshproof.runtime.engine.errors import AnswerNeededError
from meshproof.runtime.engine.facts import Facts, Incoming, Wire
from meshproof.runtime.engine.index import Candidate, ConnectionIndex, Find, RequestIndex
from meshproof.runtime.engine.segments import After
from meshproof.runtime.engine.tokens import GoodToken

_MOST_CALLERS = 65_536
"""Identities remembered at a port; beyond, all are forgotten and found again."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The decisions of a port where no single rule is named. `is_observed`: what is refused is let through and told.

    `is_open`: what no rule decides is allowed.
    """

    is_observed: bool
    is_open: bool

    def refused(self, reason: Reason, rules: Iterable[AuthzRule] = ()) -> Decision:
        """A refusal."""
        return Decision(self.is_observed, reason, _names(rules), is_observed=self.is_observed)

    def allowed(self, rules: Iterable[AuthzRule]) -> Decision:
        """A yes by rules."""
        return Decision(is_allowed=True, reason=Reason.RULE, determined_by=_names(rules))

    def default(self) -> Decision:
        """What comes of a request that no rule decides."""
        if self.is_open:
            return Decision(is_allowed=True, reason=Reason.DEFAULT)
        return self.refused(Reason.DEFAULT)


def _names(rules: Iterable[AuthzRule]) -> tuple[RuleId, ...]:
    return tuple(sorted({rule.id for rule in rules}))


AllowRow = tuple[str, int, tuple[str, ...], Decision, After]
"""As `PlainRow`, with what comes of it."""


PlainIndex = tuple[Mapping[str, Find], Find, Mapping[RuleId, Decision], Decision]
"""What finds rules by path, by method and for other methods; what comes of each rule, and of none."""


class CallerTable:
    """Asks, denies and allows of a class of callers, each indexed; the last step of a decision.

    `plain`: all that a decision needs, in one place, where path and method decide: what comes of each operation, and of
    requests that none of them takes. Most tables are so, and memory is what a decision among many rules waits for.
    `plain_index` is the same where there are many operations: where they are looked up, and what comes of each rule.
    """

    __slots__ = (
        "_allowed_by", "_allows", "_asks", "_connections", "_default", "_denies", "_outcomes", "plain", "plain_index",
    )  # fmt: skip

    def __init__(self, candidates: tuple[Candidate, ...], outcomes: Outcomes) -> None:
        by_effect = {effect: [one for one in candidates if one.rule.effect is effect] for effect in Effect}
        # One attribute an effect, and not a mapping: looking up a member of an enumeration costs more than an index.
        self._asks, self._denies, self._allows = (
            RequestIndex(some) if (some := by_effect[effect]) else None
            for effect in (Effect.ASK, Effect.DENY, Effect.ALLOW)
        )
        self._connections = {effect: ConnectionIndex(some) for effect, some in by_effect.items() if some}
        self._outcomes = outcomes
        self._default = outcomes.default()
        self._allowed_by = {one.rule.id: outcomes.allowed((one.rule,)) for one in by_effect[Effect.ALLOW]}
        self.plain = self._plain()
        self.plain_index = self._plain_index() if self.plain is None else None

    def request(self, wire: Wire, incoming: Incoming, path: str, token: GoodToken | None) -> Decision:
        """The decision about a request over HTTP that passed all steps before."""
        asks: Sequence[AuthzRule] = ()
        if self._asks is not None:
            asks = self._asks.matching(wire, incoming, path, token)
            if asks and (decided := self._refused_by_ask(asks, incoming.answers)) is not None:
                return decided
        if self._denies is not None and (denies := self._denies.matching(wire, incoming, path, token)):
            return self._outcomes.refused(Reason.RULE, denies)
        if self._allows is None:
            return self._default if not asks else self._allowed((), asks, incoming.answers)
        allows = self._allows.matching(wire, incoming, path, token)
        if not asks:
            if not allows:
                return self._default
            if len(allows) == 1:
                return self._allowed_by[allows[0].id]
        return self._allowed(allows, asks, incoming.answers)

    def _plain(self) -> tuple[tuple[AllowRow, ...], Decision] | None:
        if self._asks is not None or self._denies is not None:
            return None
        rows = () if self._allows is None else self._allows.plain_rows
        if rows is None:
            return None
        allowed_by = self._allowed_by
        return tuple(
            (text, kind, methods, allowed_by[rule.id], after) for text, kind, methods, rule, after in rows
        ), self._default

    def _plain_index(self) -> PlainIndex | None:
        if self._asks is not None or self._denies is not None or self._allows is None or not self._allows.is_plain:
            return None
        return *self._allows.finders, self._allowed_by, self._default

    def connection(self, facts: Facts, answers: Mapping[AuthorizerName, bool]) -> Decision:
        """The decision about a connection over TCP."""
        connections = self._connections
        asks = connections[Effect.ASK].matching(facts) if Effect.ASK in connections else []
        if asks and (decided := self._refused_by_ask(asks, answers)) is not None:
            return decided
        if Effect.DENY in connections and (denies := connections[Effect.DENY].matching(facts)):
            return self._outcomes.refused(Reason.RULE, denies)
        allows = connections[Effect.ALLOW].matching(facts) if Effect.ALLOW in connections else []
        return self._allowed(allows, asks, answers)

    def _refused_by_ask(self, asks: Sequence[AuthzRule], answers: Mapping[AuthorizerName, bool]) -> Decision | None:
        refusing = [rule for rule in asks if rule.authorizer is None or answers.get(rule.authorizer) is False]
        return self._outcomes.refused(Reason.ASK, refusing) if refusing else None

    def _allowed(
        self, allows: Sequence[AuthzRule], asks: Sequence[AuthzRule], answers: Mapping[AuthorizerName, bool]
    ) -> Decision:
        """The end, if nobody refused. A yes that hangs on authorizers who were not asked is none yet."""
        if len(allows) == 1:
            decision = self._allowed_by[allows[0].id]
        else:
            decision = self._outcomes.allowed(allows) if allows else self._default
        if asks and decision.is_allowed and not decision.is_observed:
            unasked = {rule.authorizer for rule in asks if rule.authorizer is not None} - answers.keys()
            if unasked:
                raise AnswerNeededError(tuple(sorted(unasked)))
        return decision


class Callers:
    """The tables of a port by identity. Rules for named identities are looked up, only the others are tried."""

    __slots__ = ("_by_class", "_by_identity", "_general", "_named", "_outcomes", "_port", "_takes_internet")

    def __init__(
        self,
        rules: tuple[AuthzRule, ...],
        port: int,
        outcomes: Outcomes,
        *,
        takes_internet: bool,
    ) -> None:
        self._port = port
        self._outcomes = outcomes
        self._takes_internet = takes_internet
        self._named: dict[str, list[AuthzRule]] = {}
        self._general: list[AuthzRule] = []
        for rule in rules:
            named = _named_identities(rule.sources.matches)
            if named is None or rule.sources.has_internet:
                self._general.append(rule)
            else:
                for identity in named:
                    self._named.setdefault(identity, []).append(rule)
        self._by_identity: dict[str | None, CallerTable] = {}
        self._by_class: dict[tuple[Candidate, ...], CallerTable] = {}

    def table(self, identity: str | None) -> CallerTable:
        """The table of a caller, made when the first one of its class comes."""
        known = self._by_identity.get(identity)
        if known is not None:
            return known
        candidates = tuple(self._candidates(identity))
        found = self._by_class.get(candidates)
        if found is None:
            found = CallerTable(candidates, self._outcomes)
        if len(self._by_identity) >= _MOST_CALLERS:
            self._by_identity.clear()
            self._by_class.clear()
        self._by_class[candidates] = found
        self._by_identity[identity] = found
        return found

    def _candidates(self, identity: str | None) -> Iterable[Candidate]:
        named = () if identity is None else self._named.get(identity, ())
        for rule in (*named, *(rule for rule in self._general if self._takes(rule, identity))):
            when = settled(rule.when, identity, self._port)
            if not isinstance(when, Never):
                yield Candidate(rule, when)

    def _takes(self, rule: AuthzRule, identity: str | None) -> bool:
        sources = rule.sources
        if identity is None and self._takes_internet and sources.has_internet:
            return True
        return not isinstance(settled(sources.matches, identity, self._port), Never)


def _named_identities(matches: Predicate) -> tuple[str, ...] | None:
    """The identities that a set of callers lists, each once; None if it is said in any other way."""
    match matches:
        case Test(SourceIdentity(), Exact(value, ignore_case=False)):
            return (value,)
        case Or(operands):
            parts = [_named_identities(one) for one in operands]
            if any(part is None for part in parts):
                return None
            return tuple(dict.fromkeys(value for part in parts if part is not None for value in part))
        case _:
            return None
