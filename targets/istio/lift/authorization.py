"""AuthorizationPolicies as rules, and at which workloads what no rule decides is refused.

An ALLOW policy that is in force changes the default of every workload that it selects, whether it has rules or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Destination, Layer
from meshproof.compiler.ir.names import AuthorizerName, NodeName, Origin, RuleId
from meshproof.compiler.ir.predicate import Attribute
from meshproof.targets.common.callers import Identities
from meshproof.targets.common.callers_text import callers_text
from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.admission import DRY_RUN, Verdict
from meshproof.targets.istio.lift.ambient import ambient_form
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.in_force import in_force_at
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.membership import Membership
from meshproof.targets.istio.lift.nameless import with_nameless
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.policy_terms import Reading
from meshproof.targets.istio.lift.request_authentication import Tokens
from meshproof.targets.istio.lift.rule_forms import Form, PolicyRule, http_form, read_rule, tcp_form
from meshproof.targets.istio.lift.unmodelled import unknown_object
from meshproof.targets.istio.lift.values import items, text
from meshproof.targets.istio.lift.workloads import Workload

_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))
_EFFECTS = {"ALLOW": Effect.ALLOW, "DENY": Effect.DENY, "CUSTOM": Effect.ASK}


@dataclass(frozen=True, slots=True)
class Authorization:
    """The rules, and the workloads that refuse what no rule decides."""

    rules: tuple[AuthzRule, ...]
    closed: frozenset[NodeName]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What policies meet at workloads: `tokens` says which headers a proxy changes before rules read them.

    `verdicts` are those of admission over objects that are not clean, `nameless` the ports of gateways at which a
    certificate may hold no SPIFFE ID.
    """

    identities: Identities
    tokens: Tokens
    verdicts: dict[KubeObject, Verdict]
    nameless: dict[NodeName, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Policy:
    """A policy with the workloads at which it is in force."""

    source: KubeObject
    workloads: tuple[Workload, ...]

    @property
    def action(self) -> str:
        return text(self.source.spec.get("action")) or "ALLOW"

    @property
    def is_dry_run(self) -> bool:
        """Only what Go reads as true makes a policy dry; a value that is neither true nor false does not."""
        return dict(self.source.annotations).get(DRY_RUN, "false") in _TRUE

    @property
    def provider(self) -> str:
        return text(self.source.spec.at("provider", "name")) or ""


def lift_authorization(context: LiftContext, around: Surroundings) -> Authorization:
    """All AuthorizationPolicies; one that admission refuses, or with fields that nobody knows, may be in force."""
    policies = [_policy(one, context) for one in context.objects.of(Kind.AUTHORIZATION_POLICY)]
    taken = [one for one in policies if _is_read(one, around)]
    unknown = (rule for one in policies if not _is_read(one, around) for rule in _unknown(one))
    lifting = _Lifting(context, around, _providers(taken))
    rules = (rule for one in taken for rule in lifting.rules(one))
    closing = (one for one in taken if one.action == "ALLOW" and not one.is_dry_run)
    return Authorization(
        (*rules, *unknown),
        frozenset(workload.name for one in closing for workload in one.workloads),
    )


def _policy(source: KubeObject, context: LiftContext) -> _Policy:
    found = in_force_at(source, context)
    return _Policy(source, found)


def _is_read(policy: _Policy, around: Surroundings) -> bool:
    """Whether the policy says what it says: unknown fields inside of a rule make that rule uncertain, no more."""
    verdict = around.verdicts.get(policy.source)
    if verdict is None:
        return True
    return not verdict.refusals and all(
        fault.path.startswith(("spec.rules[", "metadata", "status")) for fault in verdict.unknown
    )


def _unknown(policy: _Policy) -> Iterator[AuthzRule]:
    yield from unknown_object(policy.source, tuple(workload.name for workload in policy.workloads))


def _providers(policies: Iterable[_Policy]) -> dict[NodeName, frozenset[str]]:
    """The external authorizers that each workload would have to ask."""
    found: dict[NodeName, set[str]] = {}
    for policy in policies:
        if policy.action == "CUSTOM":
            for workload in policy.workloads:
                found.setdefault(workload.name, set()).add(policy.provider)
    return {name: frozenset(providers) for name, providers in found.items()}


@dataclass(frozen=True, slots=True)
class _Place:
    """What is alike at the workloads for which one form of a rule is good."""

    authorizer: AuthorizerName | None
    asks_on_tcp: bool
    written: frozenset[Attribute] = frozenset()
    stripped: frozenset[Attribute] = frozenset()
    is_ambient: bool = False
    nameless: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Lifting:
    context: LiftContext
    around: Surroundings
    providers: dict[NodeName, frozenset[str]]

    def rules(self, policy: _Policy) -> Iterator[AuthzRule]:
        """The rules of one policy. AUDIT decides nothing."""
        effect = _EFFECTS.get(policy.action)
        if effect is None:
            return
        places = self._places(policy)
        for index, rule in enumerate(items(policy.source.spec.get("rules"))):
            if not isinstance(rule, MapNode):
                continue
            name = f"{policy.source.full_name}[{index}]"
            for number, (place, nodes) in enumerate(places, 1):
                named = _Named(name, "" if number == 1 else str(number), nodes, place)
                found = read_rule(rule, self._reading(policy, place))
                forms = self._forms(policy, effect, named, found)
                yield from with_nameless(forms, place.nameless, found) if place.nameless else forms

    def _reading(self, policy: _Policy, place: _Place) -> Reading:
        settings = self.context.settings
        return Reading(
            policy.source.namespace,
            settings.bundle,
            settings.has_joined_headers,
            place.written,
            place.stripped,
            is_ambient=place.is_ambient,
        )

    def _places(self, policy: _Policy) -> list[tuple[_Place, tuple[NodeName, ...]]]:
        """The workloads, those together for which the rules mean the same; without any, one place without workloads."""
        found: dict[_Place, list[NodeName]] = {}
        for workload in policy.workloads:
            place = self._place(policy, workload.name)
            is_ambient = workload.membership is Membership.AMBIENT
            place = replace(place, is_ambient=is_ambient, nameless=self.around.nameless.get(workload.name, ()))
            found.setdefault(place, []).append(workload.name)
        if not found:
            found[self._place(policy, None)] = []
        return [(place, tuple(sorted(names))) for place, names in found.items()]

    def _place(self, policy: _Policy, name: NodeName | None) -> _Place:
        if policy.action != "CUSTOM":
            tokens = self.around.tokens
            written, stripped = (
                (frozenset() if name is None else one.get(name, frozenset()))
                for one in (tokens.written, tokens.stripped)
            )
            return _Place(None, asks_on_tcp=False, written=written, stripped=stripped)
        # Whom it asks is asked before tokens are looked at, and sees requests as they come.
        settings = self.context.settings
        provider = settings.provider(policy.provider)
        asked = frozenset() if name is None else self.providers.get(name, frozenset())
        # Several providers are refused, not asked, unless istiod was told otherwise; so is one that nobody configured,
        # or that istiod does not take.
        # That holds on both kinds of chain, whatever the providers speak.
        if provider is None or provider.fault is not None or not (settings.has_many_providers or len(asked) <= 1):
            return _Place(None, asks_on_tcp=True)
        return _Place(AuthorizerName(policy.provider), asks_on_tcp=provider.protocol == "grpc")

    def _forms(self, policy: _Policy, effect: Effect, named: _Named, rule: PolicyRule) -> Iterator[AuthzRule]:
        if named.place.is_ambient:
            asked = None if effect is Effect.ASK else ambient_form(rule, effect)
            if asked is not None:
                yield self._rule(policy, effect, named, (asked, None), rule.origin)
            return
        if rule.is_same_on_tcp and (effect is not Effect.ASK or named.place.asks_on_tcp):
            yield self._rule(policy, effect, named, (http_form(rule), None), rule.origin)
            return
        yield self._rule(policy, effect, named, (http_form(rule), Layer.HTTP), rule.origin)
        vanishes = effect is Effect.ALLOW and rule.is_about_http
        if not vanishes and (effect is not Effect.ASK or named.place.asks_on_tcp):
            yield self._rule(policy, effect, named, (tcp_form(rule), Layer.TCP), rule.origin)

    def _rule(
        self, policy: _Policy, effect: Effect, named: _Named, form: tuple[Form, Layer | None], origin: Origin
    ) -> AuthzRule:
        asked, layer = form
        return AuthzRule(
            id=named.id_on(layer),
            effect=effect,
            sources=self.around.identities.source_set(asked.callers, callers_text(asked.callers)),
            destinations=tuple(Destination(node, asked.ports) for node in named.nodes),
            operations=asked.operations,
            when=asked.when,
            origin=origin,
            authorizer=named.place.authorizer,
            is_enforced=not policy.is_dry_run,
            layer=layer,
        )


@dataclass(frozen=True, slots=True)
class _Named:
    """The name of a rule at some workloads."""

    name: str
    form: str
    nodes: tuple[NodeName, ...]
    place: _Place

    def id_on(self, layer: Layer | None) -> RuleId:
        """The name of the rule on a kind of chain: on HTTP the plain one."""
        form = "-".join(part for part in ("tcp" if layer is Layer.TCP else "", self.form) if part)
        return RuleId(f"{self.name}@{form}" if form else self.name)
