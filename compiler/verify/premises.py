"""What proofs take for granted, so that a report can say it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from meshproof.compiler.ir.entities import External
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.predicate import (
    Claim,
    SourceIdentity,
    TokenAudience,
    TokenIssuer,
    TokenPresenter,
    TokenSubject,
)
from meshproof.compiler.smt.atoms import tests_of
from meshproof.compiler.smt.callers import is_loose
from meshproof.compiler.smt.policy import PortPolicy
from meshproof.compiler.verify.analysis import Analysis
from meshproof.compiler.verify.scope import Scope
from meshproof.compiler.verify.verdict import Premise, PremiseKind

_OF_TOKEN = (TokenIssuer, TokenSubject, TokenAudience, TokenPresenter, Claim)
_MOST_NAMES = 4


def premises_of(analysis: Analysis, scopes: Sequence[Scope], *, says_yes: bool = False) -> tuple[Premise, ...]:
    """What is assumed in a proof over these ports; with `says_yes` authorizers allow whatever they are asked."""
    found: dict[Premise, None] = {Premise(PremiseKind.DAY, f"as of {analysis.day}"): None}
    found.update(dict.fromkeys(_mtls(scopes)))
    found.update(dict.fromkeys(_trust(analysis)))
    found.update(dict.fromkeys(_edges(scopes)))
    # What a reader cannot see in files: who injects proxies, and what those answer by themselves.
    found.update((Premise(PremiseKind.PROXY, text), None) for text in analysis.mesh.premises)
    for scope in scopes:
        found.update(dict.fromkeys(_of_port(scope.policy, says_yes=says_yes)))
    return tuple(found)


def _mtls(scopes: Sequence[Scope]) -> Iterable[Premise]:
    """The modes relied on, one premise for all ports that have it from one statement."""
    ports: dict[tuple[str, Origin | None], list[str]] = {}
    until: dict[tuple[str, Origin | None], str] = {}
    for scope in scopes:
        if isinstance(scope.policy.node, External) or scope.policy.is_gateway:
            continue
        statement = scope.policy.mtls
        key = (str(scope.policy.mode), None if statement is None else statement.origin)
        ports.setdefault(key, []).append(scope.name)
        if statement is not None and statement.until is not None:
            until[key] = f" until {statement.until}"
    for (mode, origin), names in ports.items():
        text = f"mTLS is {mode}{until.get((mode, origin), '')}"
        yield Premise(PremiseKind.MTLS, text, origin, tuple(names))


def _edges(scopes: Sequence[Scope]) -> Iterable[Premise]:
    """Ports of lifted gateways that take whatever identity is signed: proofs know those of trusted domains alone."""
    for scope in scopes:
        statement = scope.policy.mtls
        if scope.policy.is_gateway and statement is not None and statement.mode is not MtlsMode.DISABLED:
            text = f"who signs certificates of clients of `{scope.name}` signs none of a domain that is not trusted"
            yield Premise(PremiseKind.TRUST, text, statement.origin)


def _trust(analysis: Analysis) -> Iterable[Premise]:
    if analysis.once(_has_loose_sources):
        yield Premise(PremiseKind.TRUST, "an identity names one namespace and one account")
    for domain in analysis.mesh.aliases:
        yield Premise(PremiseKind.TRUST, f"identities of `{domain}` are ours")
    for domain in analysis.mesh.trusts:
        yield Premise(PremiseKind.TRUST, f"`{domain}` gives its identities to whom it should")


def _has_loose_sources(analysis: Analysis) -> bool:
    """Whether some rule looks for a namespace or account anywhere in an identity."""
    tests = tests_of(rule.sources.matches for rule in analysis.mesh.rules)
    return any(is_loose(test.matcher) for test in tests if isinstance(test.attribute, SourceIdentity))


def _of_port(policy: PortPolicy, *, says_yes: bool) -> Iterable[Premise]:
    if isinstance(policy.node, External):
        via = policy.node.via
        who = (
            "the sender's proxy is not bypassed"
            if via is None
            else f"gateway `{via}` and the sender's proxy are not bypassed"
        )
        yield Premise(PremiseKind.EXTERNAL, f"{who} on the way to `{policy.key.node}`", policy.node.origin)
    if policy.is_observed:
        yield Premise(PremiseKind.OBSERVE, f"`{policy.key.node}` is observed and refuses nothing")
    for authorizer in policy.authorizers:
        answer = f"`{authorizer}` says yes" if says_yes else f"whatever `{authorizer}` answers"
        yield Premise(PremiseKind.AUTHORIZER, answer)
    if any(isinstance(one, _OF_TOKEN) for rule in policy.rules for one in policy.reading(rule).matchers):
        for issuer in policy.issuers:
            yield Premise(
                PremiseKind.ISSUER, f"tokens of `{issuer.name}` are issued to whom they should", issuer.origin
            )


def listed(names: Sequence[str]) -> str:
    """Names for people: a few, and how many more."""
    shown = [f"`{name}`" for name in names[:_MOST_NAMES]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
