"""Who may do what at each port: the policy as App Mesh's listeners and doors have to keep it.

A proxy of App Mesh knows a caller by its certificate and nothing else, so rules are sorted by caller first. What is
left of each rule is what it asks of requests; whatever the port or the kind of caller settles is folded away.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Destination, Exemption, External, Layer, Node, Service, ServicePort
from meshproof.compiler.ir.matchers import Matcher
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.mtls import MtlsMode, effective_policy
from meshproof.compiler.ir.names import SpiffeId
from meshproof.compiler.ir.predicate import (
    Always,
    And,
    Attribute,
    Claim,
    ClientIp,
    Header,
    Method,
    Never,
    Not,
    Opaque,
    Or,
    Path,
    Port,
    Predicate,
    Query,
    SourceIdentity,
    Test,
    TokenAudience,
    TokenIssuer,
    TokenPresenter,
    TokenSubject,
    attributes_of,
    conjunction,
    disjunction,
    negation,
    reads_http,
)
from meshproof.targets.appmesh.lower.callers import (
    Caller,
    Known,
    Plaintext,
    Strangers,
    has_identity,
    identities_named,
    takes,
)
from meshproof.targets.appmesh.lower.matching import matches

_JUDGEABLE = (Method, Path, Header, Query)
"""What matches of gateway routes read. Of the host they do as well, but whoever names it gets a virtual host of its
own, in which routes of any host are not tried: a deny of any host would not hold there."""


@dataclass(frozen=True, slots=True)
class Permission:
    """What one kind of caller may do at one port: what some `allowed` rule takes and no `denied` one.

    The rules hold of every such caller: they are what is left of the policy's (same id and origin), without sources
    that matter and without operations; `content` is all they ask. `unjudgeable` are rules that no proxy of App Mesh can
    judge, with the rest of them unchanged: where there are any, the permission says nothing. `narrowed` are allows
    that take only some of the callers meant (strangers), or that a deny of some takes from all of them: they are left
    out, which refuses more than the policy.
    `is_observed`: an `observe` is in force there, and nothing is refused.
    """

    allowed: tuple[AuthzRule, ...] = ()
    denied: tuple[AuthzRule, ...] = ()
    unjudgeable: tuple[AuthzRule, ...] = ()
    narrowed: tuple[AuthzRule, ...] = ()
    is_observed: bool = False

    @property
    def is_nothing(self) -> bool:
        """Whether nothing is allowed, whatever is unjudgeable."""
        return not self.allowed and not self.unjudgeable and not self.is_observed

    @property
    def is_everything(self) -> bool:
        """Whether all that comes is allowed."""
        if self.is_observed:
            return True
        is_open = any(isinstance(rule.content, Always) for rule in self.allowed)
        return is_open and not self.denied and not self.unjudgeable

    @property
    def is_some(self) -> bool:
        """Whether it depends on the request; judgeable or not."""
        return not self.is_nothing and not self.is_everything

    @property
    def meaning(self) -> tuple[frozenset[Predicate], frozenset[Predicate], frozenset[str]]:
        """Equal where callers may do the same: what a class of callers at a door has in common."""
        allowed = frozenset(rule.content for rule in self.allowed)
        denied = frozenset(rule.content for rule in self.denied)
        return allowed, denied, frozenset(rule.id for rule in self.unjudgeable)


NOTHING = Permission()


@dataclass(frozen=True, slots=True)
class Row:
    """What each kind of caller may do at a port of a service.

    `known` are all identities that the policy declares or names as a whole, in order; those of an alias of the trust
    domain are not among them, and stand for those of the trust domain. `strangers` are authenticated callers of the
    trust domain with any other identity, `foreign` those of each foreign domain that is trusted, `plaintext` callers
    without identity. Under `disabled` all callers are plaintext, and the others have nothing.
    """

    service: Service
    port: ServicePort
    mode: MtlsMode
    known: tuple[tuple[SpiffeId, Permission], ...]
    strangers: Permission
    foreign: tuple[tuple[str, Permission], ...]
    plaintext: Permission

    @property
    def place(self) -> Destination:
        """The port, as a policy names it."""
        return Destination(self.service.name, (self.port.workload,))


def rows(mesh: Mesh, day: date) -> tuple[Row, ...]:
    """The rows of every declared port of every service, on that day.

    For policies of the language: `default_allow` and `layer`, which lifted meshes have, are not looked at.
    """
    named = known_identities(mesh, day)
    return tuple(_row(mesh, day, service, port, named) for service in mesh.services for port in service.ports)


def known_identities(mesh: Mesh, day: date) -> tuple[SpiffeId, ...]:
    """The identities of services and gateways, and those of trusted domains that rules in force name as a whole."""
    found = {one.identity for one in mesh.services} | {one.identity for one in mesh.gateways}
    trusted = {mesh.trust_domain, *mesh.trusts}
    for rule in mesh.rules:
        if rule.is_in_force(day):
            parsed = map(SpiffeId.parse, identities_named(conjunction((rule.sources.matches, rule.content))))
            found.update(one for one in parsed if one is not None and one.trust_domain in trusted)
    return tuple(sorted(found))


def permission(mesh: Mesh, day: date, node: Node, port: ServicePort, caller: Caller) -> Permission:
    """What the caller may do at the port, if its connection stands (transport is not looked at)."""
    if is_observed(mesh, node, day):
        return Permission(is_observed=True)
    folded = _Folded(mesh, node, port, caller)
    for rule in sorted(mesh.rules, key=lambda one: one.id):
        if rule.is_in_force(day) and _is_aimed_at(rule, node, port) and _speaks_of(rule, port):
            folded.add(rule)
    return folded.permission()


def _row(mesh: Mesh, day: date, service: Service, port: ServicePort, named: tuple[SpiffeId, ...]) -> Row:
    policy = effective_policy(mesh.mtls, service.name, service.namespace, port.workload, day)
    mode = MtlsMode.STRICT if policy is None else policy.mode
    uris = frozenset(identity.uri for identity in named)

    def of(caller: Caller) -> Permission:
        refusing = MtlsMode.STRICT if isinstance(caller, Plaintext) else MtlsMode.DISABLED
        is_refused = mode is refusing and not is_observed(mesh, service, day)
        return NOTHING if is_refused else permission(mesh, day, service, port, caller)

    return Row(
        service=service,
        port=port,
        mode=mode,
        known=tuple((identity, of(Known(identity))) for identity in named),
        strangers=of(Strangers(mesh.trust_domain, uris)),
        foreign=tuple((domain, of(Strangers(domain, uris))) for domain in mesh.trusts),
        plaintext=of(Plaintext()),
    )


class _Folded:
    """The rules as they concern one kind of caller, one after the other."""

    def __init__(self, mesh: Mesh, node: Node, port: ServicePort, caller: Caller) -> None:
        gateways = {gateway.identity for gateway in mesh.gateways}
        self._is_gateway = isinstance(caller, Known) and caller.identity in gateways
        self._port, self._caller = port, caller
        self._accepts = () if isinstance(node, External) else node.accepts
        self._allowed: list[AuthzRule] = []
        self._denied: list[AuthzRule] = []
        self._asked: list[AuthzRule] = []
        self._narrowed: list[AuthzRule] = []
        self._is_denied_whole = False

    def add(self, rule: AuthzRule) -> None:
        """One rule in force that speaks of the port."""
        taken = takes(rule.sources, self._caller)
        most = self._left(rule, is_most=True)
        if taken is False or isinstance(most.content, Never):
            return
        least = self._left(rule, is_most=False)
        if rule.effect is not Effect.ALLOW:
            # A deny that takes some of them is taken to take all: that refuses more, never less.
            (self._denied if rule.effect is Effect.DENY else self._asked).append(most)
            is_whole = taken is not None and isinstance(least.content, Always)
            self._is_denied_whole |= rule.effect is Effect.DENY and is_whole
            return
        if taken is None or least != most:
            self._narrowed.append(most)
        if taken is not None and not isinstance(least.content, Never):
            self._allowed.append(least)

    def permission(self) -> Permission:
        """What all of them make together."""
        narrowed = tuple(self._narrowed)
        if self._is_denied_whole:
            return NOTHING
        if any(isinstance(rule.content, Always) for rule in self._denied):
            return Permission(narrowed=(*narrowed, *self._allowed))
        if not self._allowed:
            return Permission(narrowed=narrowed)
        judged = (*self._allowed, *self._denied)
        # Where tokens are accepted, one that is not valid is refused, whatever the rules ask for.
        is_of_tokens = self._port.layer is Layer.HTTP and bool(self._accepts)
        unjudgeable = tuple(rule for rule in judged if is_of_tokens or not is_judgeable(rule.content))
        return Permission(tuple(self._allowed), tuple(self._denied), (*self._asked, *unjudgeable), narrowed)

    def _left(self, rule: AuthzRule, *, is_most: bool) -> AuthzRule:
        return replace(rule, operations=(), when=self._content(rule.content, is_most=is_most))

    def _content(self, predicate: Predicate, *, is_most: bool) -> Predicate:
        """The predicate without what is known beforehand: the port, the caller, which attributes are absent there.

        Where it hangs on which of the callers it is, it becomes what holds of some request of one of them (`is_most`),
        or of requests of all of them.
        """
        match predicate:
            case Test(attribute, matcher):
                value = self._test(attribute, matcher, is_most=is_most)
                return predicate if value is None else Always() if value else Never()
            case Not(operand):
                return negation(self._content(operand, is_most=not is_most))
            case And(operands):
                return conjunction(tuple(self._content(one, is_most=is_most) for one in operands))
            case Or(operands):
                return disjunction(tuple(self._content(one, is_most=is_most) for one in operands))
            case _:
                return predicate

    def _test(self, attribute: Attribute, matcher: Matcher, *, is_most: bool) -> bool | None:
        match attribute:
            case SourceIdentity():
                value = has_identity(matcher, self._caller)
                return is_most if value is None else value
            case Port():
                return matches(matcher, str(self._port.workload))
            case ClientIp():
                return None if self._is_gateway else False
            case TokenIssuer() | TokenSubject() | TokenAudience() | TokenPresenter() | Claim():
                return None if self._accepts else False
            case _:
                return None


def is_judgeable(content: Predicate) -> bool:
    """Whether matches of routes read all that the predicate reads, well or not so well."""
    return not has_opaque(content) and all(isinstance(one, _JUDGEABLE) for one in attributes_of(content))


def has_opaque(predicate: Predicate) -> bool:
    """Whether something in it is not modelled."""
    match predicate:
        case Not(operand):
            return has_opaque(operand)
        case And(operands) | Or(operands):
            return any(map(has_opaque, operands))
        case _:
            return isinstance(predicate, Opaque)


def _is_aimed_at(rule: AuthzRule, node: Node, port: ServicePort) -> bool:
    return any(
        destination.node == node.name and (destination.ports is None or port.workload in destination.ports)
        for destination in rule.destinations
    )


def _speaks_of(rule: AuthzRule, port: ServicePort) -> bool:
    """A rule that reads HTTP says nothing of TCP and opaque TLS, whatever its effect."""
    return port.layer is Layer.HTTP or not (rule.operations or reads_http(rule.when))


def is_observed(mesh: Mesh, node: Node, day: date) -> bool:
    """Whether an `observe` is in force there, which refuses nothing."""
    if isinstance(node, External):
        return False
    exemptions: Iterable[Exemption | None] = (one.observe for one in mesh.namespaces if one.name == node.namespace)
    own = node.observe if isinstance(node, Service) else None
    return any(one is not None and (one.until is None or day <= one.until) for one in (*exemptions, own))
