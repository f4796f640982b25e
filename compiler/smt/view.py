"""One of two policies as it sees a request that is common to both."""

from __future__ import annotations

from dataclasses import dataclass, field

from meshproof.compiler.ir.entities import Issuer, Layer
from meshproof.compiler.ir.matchers import Exact, Matcher
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.predicate import Attribute, Claim, Sni, TokenAudience, TokenIssuer
from meshproof.compiler.smt.atoms import AUDIENCE, canonical
from meshproof.compiler.smt.classes import is_match
from meshproof.compiler.smt.encode_authz import encode_admitted, encode_allowed, encode_match
from meshproof.compiler.smt.environment import Environment
from meshproof.compiler.smt.formula import FALSE, TRUE, Formula
from meshproof.compiler.smt.joint_callers import SideCallers

_OF_TOKEN = (TokenIssuer, TokenAudience, Claim)


@dataclass(slots=True)
class View(Environment):
    """The common request as a side sees it: a caller loses its identity where mTLS is disabled, a request is a
    connection where the port is opaque, and a token is read only where its issuer is accepted.

    `unreadable` is the variable of a token that neither side accepts; None where both accept the same.
    """  # noqa: D205

    side: SideCallers | None = field(default=None)
    unreadable: int | None = None

    def test(self, attribute: Attribute, matcher: Matcher) -> Formula:
        """The formula of one test, as this side reads it."""
        found = Environment.test(self, attribute, matcher)
        attribute = canonical(attribute)
        if isinstance(attribute, Sni) and not self.policy.has_tls_without_identity:
            anonymous = self.is_caller(self.callers.anonymous)
            return self.formulas.conjunction((self.formulas.negation(anonymous), found))
        if isinstance(attribute, _OF_TOKEN) and found != FALSE:
            return self.formulas.conjunction((self.is_reading_token, found))
        return found

    @property
    def is_reading_token(self) -> Formula:
        """A valid token is there and of an issuer and audience that this side accepts."""
        if self.unreadable is None:
            return TRUE
        return self.formulas.disjunction(map(self._is_accepted, self.policy.issuers))

    @property
    def is_token_refused(self) -> Formula:
        """A token is there, this side looks for one, and does not accept it."""
        if self.unreadable is None or self.issuer is None or not self.policy.issuers:
            return FALSE
        has_some = self.formulas.disjunction(
            (
                self.formulas.literal(self.issuer, ~1),
                self.formulas.literal(self.unreadable, 0b10),
            )
        )
        return self.formulas.conjunction((self.is_http, has_some, self.formulas.negation(self.is_reading_token)))

    @property
    def can_come(self) -> Formula:
        """Such a thing can come to the port at all: no connection that is no request, to a port of requests."""
        return self.is_http if self.policy.layer is Layer.HTTP else TRUE

    @property
    def has_handshake(self) -> Formula:
        """Whoever shows an identity is of a domain that this side trusts."""
        if self.side is None or self.policy.mode is MtlsMode.DISABLED or not self.side.untrusted:
            return TRUE
        return self.formulas.negation(self.is_caller(self.side.untrusted))

    @property
    def judged(self) -> Formula:
        """What comes before this side's rules: nothing refuses it before."""
        if self.policy.is_observed:
            return self.can_come
        is_read = self.formulas.negation(self.is_token_refused)
        return self.formulas.conjunction((self.can_come, self.has_handshake, encode_admitted(self), is_read))

    def allowed(self) -> Formula:
        """What this side lets through."""
        if self.policy.is_observed:
            return self.can_come
        matches = {rule.id: encode_match(rule, self) for rule in self.policy.rules}
        return self.formulas.conjunction((self.judged, encode_allowed(self, matches)))

    def _is_accepted(self, issuer: Issuer) -> Formula:
        is_its = self.has_issuer((issuer.url,))
        if not issuer.audiences:
            return is_its
        named = [self._multiple(AUDIENCE, Exact(audience)) for audience in issuer.accepted_audiences]
        if not issuer.needs_audience:
            named.append(self.formulas.negation(self.has_some(AUDIENCE)))
        return self.formulas.conjunction((is_its, self.formulas.disjunction(named)))

    def _audience(self, matcher: Matcher) -> Formula:
        """Some value of `aud` passes; a token without one has the first audience that this side's issuer demands."""
        first: dict[str, str] = {}
        for issuer in self.policy.issuers:
            is_implied = issuer.audiences and not issuer.needs_audience
            first.setdefault(issuer.url, issuer.audiences[0] if is_implied else "")
        urls = [url for url, audience in first.items() if audience and is_match(matcher, audience)]
        is_absent = self.formulas.negation(self.has_some(AUDIENCE))
        implied = self.formulas.conjunction((is_absent, self.has_issuer(urls)))
        return self.formulas.disjunction((self._multiple(AUDIENCE, matcher), implied))
