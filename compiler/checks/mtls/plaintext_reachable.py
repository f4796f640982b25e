"""A caller without identity reaches a destination

## What it does

Finds the allows that let a request without a verified identity into a service, and shows such a request. An allow that
names `plaintext` says so itself: with the `because` of the rule and of the mTLS statement that is for information. An
allow for `anyone` takes those callers along without naming them: that is a warning. What `observe` opens is listed too.

## Why it matters

Without mTLS nobody knows who calls, and the network can read and change what is sent. While mTLS is strict a rule for
`anyone` means every workload of the mesh; the day that somebody makes it permissive, for one caller, the same rule is
open to whatever has an address.

## Example

```mesh
service catalog { port http 80 }
allow browse: anyone -> catalog:http {
    GET /products/**
    because "everybody may read the catalog"
}
mtls permissive for catalog {
    because "moving in from the VMs"
    until 2027-01-31
}
```

## Use instead

```mesh
service catalog { port http 80 }
allow browse: authenticated -> catalog:http { GET /products/** }
mtls strict for catalog
```

## Precision

Exact, as of the day. Gateways are left out: what is outside has no identity.

## References

Istio, PeerAuthentication: mutual TLS modes. NIST SP 800-207A, section 2. CWE-319.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._rules import Rules
from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.mtls._modes import names_plaintext
from meshproof.compiler.checks.mtls._ways_in import Way, by_statement
from meshproof.compiler.checks.showing import listed, request_row
from meshproof.compiler.checks.unmodelled import is_about_object
from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import External, Service
from meshproof.compiler.ir.mtls import MtlsMode, MtlsPolicy
from meshproof.dsl.diagnostic import Label, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.entities import Exemption
    from meshproof.compiler.ir.names import Origin, RuleId
    from meshproof.compiler.ir.request import Request
    from meshproof.dsl.diagnostic import Diagnostic, Evidence


@dataclass(slots=True)
class _Open:
    """What one rule or exemption opens: ports by name with a request each, and the statements that let it in."""

    requests: dict[str, Request] = field(default_factory=dict)
    statements: dict[MtlsPolicy, None] = field(default_factory=dict)

    def add(self, name: str, request: Request, statement: MtlsPolicy | None) -> None:
        """Note another port."""
        self.requests.setdefault(name, request)
        if statement is not None:
            self.statements[statement] = None


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """What lets callers without identity in."""
    from meshproof.compiler.smt.solver import Undecided  # noqa: PLC0415  it loads the solver

    ways: list[Way] = []
    unknown: list[Undecided] = []
    try:
        ways.extend(_ways_in(ctx))  # what came before it was undecided stays
    except Undecided as undecided:
        unknown.append(undecided)
    yield from by_statement(ctx, ways, CHECK) if ctx.mesh.is_lifted else _by_rule(ctx, ways)
    if unknown and not is_about_object(ctx.mesh, unknown[0].reason):
        raise unknown[0]


def _by_rule(ctx: CheckContext, ways: list[Way]) -> Iterator[Diagnostic]:
    """A finding for each rule that opens something, and for each service that does without a rule."""
    rules: dict[RuleId, _Open] = {}
    nodes: dict[Origin, tuple[Service, _Open]] = {}
    for way in ways:
        if way.rule is not None:
            rules.setdefault(way.rule, _Open()).add(way.name, way.request, way.statement)
        elif isinstance(way.node, Service):
            is_exempt = way.is_observed and way.node.observe is not None
            origin = way.node.observe.origin if is_exempt and way.node.observe is not None else way.node.origin
            _, opened = nodes.setdefault(origin, (way.node, _Open()))
            opened.add(way.name, way.request, way.statement)
    places = Rules(ctx)
    for name, opened in rules.items():
        yield _of_rule(places, places[name], opened)
    for origin, (service, opened) in nodes.items():
        yield _of_service(ctx, origin, service, opened)


def _ways_in(ctx: CheckContext) -> Iterator[Way]:
    from meshproof.compiler.smt.region import Identified, MatchedBy, Outside, both  # noqa: PLC0415  it loads the solver
    from meshproof.compiler.verify import Example, plaintext_reachable  # noqa: PLC0415  the same
    from meshproof.compiler.verify.properties import ALLOWED  # noqa: PLC0415  the same

    analysis = ctx.analysis()
    for exposed in plaintext_reachable(analysis):
        scope = analysis.scope(exposed.key)
        node, statement = scope.policy.node, scope.policy.mtls
        if isinstance(node, External):
            continue
        name = exposed.name if exposed.key.is_declared and not exposed.is_observed else str(exposed.node)
        opening = () if exposed.is_observed else tuple(one for one in scope.rules() if one.effect is Effect.ALLOW)
        is_by_rule = False
        for rule in opening:
            answer = scope.is_satisfiable(both(ALLOWED, Outside(Identified()), MatchedBy(rule.id)))
            if isinstance(answer, Example):
                is_by_rule = True
                yield Way(node, name, rule.id, answer.witness.request, statement)
        if not is_by_rule:
            yield Way(node, name, None, exposed.witness.request, statement, is_observed=exposed.is_observed)


def _of_rule(rules: Rules, rule: AuthzRule, opened: _Open) -> Diagnostic:
    is_said = names_plaintext(rule.sources.matches)
    until = _first(rule.until, *(statement.until for statement in opened.statements))
    return CHECK.finding(
        f"rule `{rule.id}` lets callers without identity reach {listed(tuple(opened.requests))}{until}",
        rules.sources(rule),
        "names them" if is_said else f"`{rule.sources.text}` takes callers without identity too",
        subject=rule.id,
        labels=_labels(opened),
        help="when they have an identity, make mTLS strict and take the rule out"
        if is_said
        else "write `authenticated`, or name `plaintext` and say why; with `mtls strict` nobody comes without identity",
        evidence=_evidence(opened),
        severity=Severity.INFO if is_said else None,
    )


def _of_service(ctx: CheckContext, origin: Origin, service: Service, opened: _Open) -> Diagnostic:
    exemption = service.observe if service.observe is not None and service.observe.origin == origin else None
    return CHECK.finding(
        f"callers without identity reach {listed(tuple(opened.requests))}, where nothing is refused"
        f"{_first(None if exemption is None else exemption.until)}",
        origin.span,
        "refuses nothing" if exemption else "allows what no rule decides",
        subject=_subject(ctx, service, exemption),
        labels=_labels(opened),
        help="end `observe` once the rules are complete" if exemption else "refuse by default what no rule allows",
        evidence=_evidence(opened),
        severity=Severity.INFO if exemption else None,
    )


def _subject(ctx: CheckContext, service: Service, exemption: Exemption | None) -> str:
    """The service, or the namespace where the exemption is its."""
    namespaces = (one for one in ctx.mesh.namespaces if one.observe is not None and one.observe == exemption)
    return next((f"namespace {one.name}" for one in namespaces), str(service.name))


def _first(*ends: date | None) -> str:
    """Until when it is so, if it ends at all."""
    end = min((end for end in ends if end is not None), default=None)
    return "" if end is None else f" until {end}"


def _labels(opened: _Open) -> tuple[Label, ...]:
    """Where mTLS is strict it is something else that lets them in."""
    statements = (one for one in opened.statements if one.mode is not MtlsMode.STRICT)
    return tuple(Label(one.origin.span, f"mTLS is {one.mode} here") for one in statements)


def _evidence(opened: _Open) -> tuple[Evidence, ...]:
    return tuple(request_row(request) for request in list(opened.requests.values())[:1])


CHECK = Check("MP501", Needs.SMT, Precision.EXACT, find)
