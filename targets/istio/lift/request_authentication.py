"""RequestAuthentications: which tokens a workload looks at, and what they change of a request before rules read it.

All that apply to a workload are pooled. None asks for a token: that is for an AuthorizationPolicy to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.entities import Issuer, TokenPlace
from meshproof.compiler.ir.names import IssuerName, NodeName
from meshproof.compiler.ir.predicate import Attribute, Header
from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.admission import Verdict
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.in_force import in_force_at
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.membership import Membership
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.unmodelled import unknown_object, unknown_rules
from meshproof.targets.istio.lift.values import flag, mappings, origin_of, text, texts

_DEFAULT_HEADER = "authorization"
_BEARER = "Bearer "


@dataclass(frozen=True, slots=True)
class Tokens:
    """The issuers, whose tokens each workload accepts, and what the proxies change of requests there.

    `written` are headers that a proxy takes off and writes anew, `stripped` those that it takes off with their token.
    """

    issuers: tuple[Issuer, ...]
    accepts: dict[NodeName, tuple[IssuerName, ...]]
    written: dict[NodeName, frozenset[Attribute]]
    stripped: dict[NodeName, frozenset[Attribute]]
    unknown: tuple[AuthzRule, ...]


def lift_tokens(context: LiftContext, verdicts: dict[KubeObject, Verdict]) -> Tokens:
    """What all RequestAuthentications say."""
    issuers: list[Issuer] = []
    accepts: dict[NodeName, list[IssuerName]] = {}
    written: dict[NodeName, set[Attribute]] = {}
    stripped: dict[NodeName, set[Attribute]] = {}
    unknown: list[AuthzRule] = []
    for source in context.objects.of(Kind.REQUEST_AUTHENTICATION):
        found = in_force_at(source, context)
        names = tuple(workload.name for workload in found if workload.membership is not Membership.AMBIENT)
        if source in verdicts:
            unknown.extend(unknown_object(source, names))
            continue
        for index, rule in enumerate(mappings(source.spec.get("jwtRules"))):
            label = f"{source.full_name}[{index}]"
            url = text(rule.get("issuer"))
            if url is None:
                # Tokens of any issuer whose signature fits: which those are nobody can say.
                unknown.extend(
                    unknown_rules(f"RequestAuthentication:{label}", f"{label}.issuer", origin_of(rule), names)
                )
                continue
            issuer = replace(
                _issuer(IssuerName(label), url, rule), is_strict_about_audience=not context.is_of_known_nodes
            )
            issuers.append(issuer)
            for name in names:
                accepts.setdefault(name, []).append(issuer.name)
                written.setdefault(name, set()).update(_written(rule))
                stripped.setdefault(name, set()).update(_stripped(rule))
    return Tokens(
        tuple(sorted(issuers, key=lambda one: one.name)),
        {name: tuple(sorted(found)) for name, found in accepts.items()},
        {name: frozenset(found) for name, found in written.items()},
        {name: frozenset(found) for name, found in stripped.items()},
        tuple(unknown),
    )


def _issuer(name: IssuerName, url: str, rule: MapNode) -> Issuer:
    return Issuer(
        name=name,
        url=url,
        jwks=text(rule.get("jwksUri")) or text(rule.get("jwks_uri")) or text(rule.get("jwks")),
        audiences=tuple(dict.fromkeys(one.value for one in texts(rule.get("audiences")))),
        origin=origin_of(rule),
        place=None if _is_usual(rule) else next(_places(rule), None),
        is_stripped=not flag(rule.get("forwardOriginalToken")),
        words=tuple(sorted({one.value for one in texts(rule.get("spaceDelimitedClaims"))})),
    )


def _is_usual(rule: MapNode) -> bool:
    """Whether the one place that is named is where tokens stand anyway, behind `Bearer` (RFC 6750, section 2.1)."""
    headers = mappings(rule.get("fromHeaders"))
    if len(headers) != 1 or texts(rule.get("fromParams")) or texts(rule.get("fromCookies")):
        return False
    name, prefix = text(headers[0].get("name")) or "", text(headers[0].get("prefix"))
    return name.lower() == _DEFAULT_HEADER and prefix == _BEARER


def _places(rule: MapNode) -> Iterator[TokenPlace]:
    """Where tokens are read, if not at the usual places. A request tells its token wherever it is read."""
    for header in mappings(rule.get("fromHeaders")):
        if (name := text(header.get("name"))) is not None:
            yield TokenPlace("header", name.lower())
    for kind, field in (("query", "fromParams"), ("cookie", "fromCookies")):
        for one in texts(rule.get(field)):
            yield TokenPlace(kind, one.value)


def _stripped(rule: MapNode) -> Iterator[Attribute]:
    """Headers that the proxy takes off, if it takes the token that they hold."""
    places = tuple(_places(rule))
    if not flag(rule.get("forwardOriginalToken")):
        names = (place.name for place in places if place.kind == "header") if places else (_DEFAULT_HEADER,)
        yield from map(Header, names)


def _written(rule: MapNode) -> Iterator[Attribute]:
    """Headers that the proxy takes off whatever is in them, and writes of a token."""
    payload = text(rule.get("outputPayloadToHeader"))
    if payload is not None:
        yield Header(payload.lower())
    for output in mappings(rule.get("outputClaimToHeaders")):
        yield Header((text(output.get("header")) or "").lower())
