"""Certificates without a SPIFFE ID, where a gateway takes certificates of others (MUTUAL).

To Envoy a principal is whatever the certificate is for: a URI, else a DNS name, else its subject. A request tells
SPIFFE IDs alone, so of a caller without one nobody can say whether `*`, or a namespace that is looked for, takes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.entities import Destination
from meshproof.compiler.ir.matchers import Exact, Present
from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.ir.predicate import Opaque, Port, SourceIdentity, Test, conjunction, disjunction, negation
from meshproof.targets.istio.lift.policy_terms import Term
from meshproof.targets.istio.lift.rule_forms import PolicyRule
from meshproof.targets.istio.lift.unmodelled import ANONYMOUS

_FIELD = "a certificate without a SPIFFE ID"
_NAMESPACES = frozenset(("namespaces", "source.namespace"))
_PRINCIPALS = frozenset(("principals", "source.principal"))


def with_nameless(rules: Iterable[AuthzRule], ports: tuple[int, ...], written: PolicyRule) -> Iterator[AuthzRule]:
    """The rules, in doubt about callers without SPIFFE ID at these ports where what is written may take their names."""
    if not any(map(_may_take, written.terms)):
        yield from rules
        return
    elsewhere = negation(disjunction(tuple(Test(Port(), Exact(str(port))) for port in ports)))
    certain = disjunction((Test(SourceIdentity(), Present()), elsewhere))
    for rule in rules:
        yield replace(rule, when=conjunction((rule.when, certain)))
        places = (_within(place, ports) for place in rule.destinations)
        yield replace(
            rule,
            id=RuleId(f"{rule.id}@nameless" if "@" not in rule.id else f"{rule.id}-nameless"),
            sources=ANONYMOUS,
            destinations=tuple(place for place in places if place.ports),
            when=Opaque(f"{_FIELD} ({rule.id})", rule.origin),
        )


def _may_take(term: Term) -> bool:
    return term.name in _NAMESPACES or (term.name in _PRINCIPALS and "*" in term.values)


def _within(place: Destination, ports: tuple[int, ...]) -> Destination:
    return replace(place, ports=tuple(port for port in ports if place.ports is None or port in place.ports))
