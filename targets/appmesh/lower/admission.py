"""Whom a listener takes in: what is left of a row when its doors have taken theirs.

A listener knows a caller by its certificate alone: it lets all of it pass, or nothing. Where it cannot tell callers
apart that the policy does, it refuses more and that is a listed loss, or the policy is refused at the rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.backend.loss import Direction, Loss
from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Gateway, Layer
from meshproof.compiler.ir.matchers import Exact, Present
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import SpiffeId
from meshproof.compiler.ir.predicate import Predicate, SourceIdentity, Test, conjunction, disjunction, negation
from meshproof.targets.appmesh.lower.context import Context
from meshproof.targets.appmesh.lower.handable import advised
from meshproof.targets.appmesh.lower.rows import Permission, Row
from meshproof.targets.appmesh.naming import NOBODY
from meshproof.targets.common.findings import NotExpressibleError

_MOST_NAME = 254


@dataclass(frozen=True, slots=True)
class Admission:
    """`mode` as App Mesh writes it, None for no TLS. `names` are those of which a certificate must hold one; without
    any, each certificate of the trust domain is taken."""  # noqa: D205, D209

    mode: str | None
    names: tuple[str, ...] = ()


PASSED = Admission(None)
"""Whoever comes, as it comes: who stands behind ends TLS."""

CLOSED = Admission("STRICT", (NOBODY,))
"""Nobody. The listener has to be there all the same: what Envoy does not listen at, it does not guard."""


def judged_at_doors(context: Context, row: Row) -> tuple[tuple[SpiffeId, Permission], ...]:
    """The callers that come in by doors: services that may do some things. Gateways judge at their own routes."""
    if row.mode is MtlsMode.DISABLED or row.port.layer is not Layer.HTTP or context.is_handed(row.service, row.port):
        return ()
    gateways = {one.identity for one in context.mesh.gateways}
    own = context.mesh.trust_domain
    return tuple(
        (identity, may)
        for identity, may in row.known
        if may.is_some and identity not in gateways and identity.trust_domain == own
    )


def admission(context: Context, row: Row, *, has_doors: bool) -> Admission:
    """Whom the listener of the row's port takes in. What cannot be said is in the findings, and nobody is taken."""
    if context.is_handed(row.service, row.port):
        return PASSED
    return _Admitting(context, row).decide(has_doors=has_doors)


@dataclass(frozen=True, slots=True)
class _Admitting:
    context: Context
    row: Row

    @property
    def place(self) -> str:
        return f"{self.row.service.name}:{self.row.port.workload}"

    def decide(self, *, has_doors: bool) -> Admission:
        self._foreign()
        if self.row.mode is MtlsMode.DISABLED:
            return self._plain()
        if not self.row.plaintext.is_nothing:
            return self._permissive()
        if self.row.mode is MtlsMode.PERMISSIVE:
            self._lose_plaintext()
        return self._strict(has_doors=has_doors)

    def _plain(self) -> Admission:
        if self.row.plaintext.is_everything:
            return Admission(None)
        reason = "without TLS a listener takes everybody in, and the policy does not let everybody do everything"
        self._refuse((self.row.plaintext,), Feature.MTLS_MODES, reason, "say `mtls strict` for it")
        return CLOSED

    def _permissive(self) -> Admission:
        every = (self.row.plaintext, self.row.strangers, *(may for _, may in self.row.known))
        if all(may.is_everything for may in every) and not self.context.mesh.trusts:
            return Admission("PERMISSIVE")
        reason = "where plaintext is taken, a listener takes it from everybody, whatever names it lists"
        self._refuse(every, Feature.MTLS_MODES, reason, "say `mtls strict`, or allow anyone everything there")
        return CLOSED

    def _strict(self, *, has_doors: bool) -> Admission:
        whole = [identity for identity, may in self.row.known if may.is_everything]
        gateways = [identity for identity, may in self.row.known if may.is_some and self._is_gateway(identity)]
        strangers = self.row.strangers
        is_open = strangers.is_everything and len(whole) == len(self.row.known) and not self.context.mesh.trusts
        if is_open and not has_doors:
            return Admission("STRICT")
        for may in (strangers, *(may for _, may in self.row.known)):
            for rule in (*may.narrowed, *(_allows((*may.allowed, *may.unjudgeable)) if may is strangers else ())):
                self._lose(rule)
        self._judgeable()
        found = [*whole, *gateways, *((self.context.gate,) if has_doors else ())]
        names = tuple(sorted({one.uri for one in found}))
        for name in names:
            if len(name) > _MOST_NAME:
                error = NotExpressibleError(Feature.IDENTITY_SOURCE, f"`{name}` is longer than {_MOST_NAME} characters")
                self.context.findings.unsupported(str(self.row.service.name), self.row.service.origin, error)
        return Admission("STRICT", names) if names else CLOSED

    def _judgeable(self) -> None:
        """MP701 for what a connection would have to be judged by that shows no request."""
        if self.row.port.layer is Layer.HTTP:
            return
        some = tuple(may for _, may in self.row.known if may.is_some)
        reason = f"`{self.place}` is no HTTP port, where a listener knows the caller and nothing else"
        self._refuse(some, Feature.IDENTITY_SOURCE, reason, None)

    def _foreign(self) -> None:
        """MP701: a listener trusts the authority of one domain, and that of another may not speak for it."""
        own = self.context.mesh.trust_domain
        found = [may for _, may in self.row.foreign]
        found += [may for identity, may in self.row.known if identity.trust_domain != own]
        reason = f"the listener of `{self.place}` trusts the authority of `{own}` alone"
        self._refuse(tuple(found), Feature.FOREIGN_TRUST, reason, "let them in by a gateway of the mesh")

    def _is_gateway(self, identity: SpiffeId) -> bool:
        return any(isinstance(one, Gateway) for one in self.context.of_identity(identity))

    def _refuse(self, found: Iterable[Permission], feature: Feature, reason: str, advice: str | None) -> None:
        """MP701 at each rule that lets somebody do something there."""
        said, advice = False, advised(self.context, self.row, advice)
        for may in found:
            for rule in (*may.allowed, *may.narrowed, *may.unjudgeable):
                said = True
                self.context.findings.unsupported(
                    str(rule.id), rule.origin, NotExpressibleError(feature, reason, advice)
                )
        if not said and feature is Feature.MTLS_MODES:
            port = self.row.port
            self.context.findings.unsupported(self.place, port.origin, NotExpressibleError(feature, reason, advice))

    def _lose(self, rule: AuthzRule) -> None:
        message = "a listener counts the names that it takes in, and knows none but those of the policy"
        loss = Loss(Feature.IDENTITY_SOURCE, Direction.STRICTER, str(rule.id), message, rule.origin, self._strangers())
        self.context.findings.lose(replace(loss, at=self.row.place))

    def _lose_plaintext(self) -> None:
        """Nobody may do anything without an identity, and here it is the connection that is refused."""
        message = "no connection is taken without TLS where nothing is allowed without an identity"
        plaintext = negation(Test(SourceIdentity(), Present()))
        subject, origin = str(self.row.service.name), self.row.port.origin
        loss = Loss(Feature.MTLS_MODES, Direction.STRICTER, subject, message, origin, plaintext)
        self.context.findings.lose(replace(loss, at=self.row.place))

    def _strangers(self) -> Predicate:
        known = tuple(Test(SourceIdentity(), Exact(identity.uri)) for identity, _ in self.row.known)
        return conjunction((Test(SourceIdentity(), Present()), negation(disjunction(known))))


def _allows(rules: tuple[AuthzRule, ...]) -> Iterator[AuthzRule]:
    return (rule for rule in rules if rule.effect is Effect.ALLOW)
