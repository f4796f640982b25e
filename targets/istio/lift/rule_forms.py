"""One rule of an AuthorizationPolicy on an HTTP chain and on a TCP chain, where it may vanish or take more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from meshproof.compiler.ir.authz import Operation
from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.predicate import Always, Predicate, conjunction, disjunction
from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift import matchers
from meshproof.targets.istio.lift.policy_terms import (
    Reading,
    Term,
    condition_terms,
    operation_terms,
    source_terms,
    unknown_term,
)
from meshproof.targets.istio.lift.values import mapping, mappings, origin_of

_Meaning = Callable[[Term], Predicate]


@dataclass(frozen=True, slots=True)
class Alternative:
    """One item of `from` or `to`: all its fields must be met."""

    terms: tuple[Term, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """A rule as it is written. No sources, or no operations, is any."""

    sources: tuple[Alternative, ...]
    operations: tuple[Alternative, ...]
    conditions: tuple[Term, ...]
    origin: Origin

    @property
    def terms(self) -> tuple[Term, ...]:
        """All its fields."""
        inner = (term for one in (*self.sources, *self.operations) for term in one.terms)
        return (*inner, *self.conditions)

    @property
    def is_about_http(self) -> bool:
        """Whether some field does not exist on TCP."""
        return any(term.is_http for term in self.terms)

    @property
    def is_same_on_tcp(self) -> bool:
        """Whether the rule asks the same on both kinds of chain."""
        return all(not term.is_http and term.predicate == term.on_tcp for term in self.terms)


@dataclass(frozen=True, slots=True)
class Form:
    """What a rule asks on one kind of chain: `callers` reads identities alone; `ports` None is every port.

    `operations` are there where the rule is about methods and paths and nothing less plain; `when` is the rest.
    """

    callers: Predicate
    ports: tuple[int, ...] | None
    operations: tuple[Operation, ...]
    when: Predicate


def read_rule(rule: MapNode, reading: Reading) -> PolicyRule:
    """The rule with what each field asks."""
    sources = tuple(
        Alternative((*source_terms(mapping(one.get("source")), reading), *_strangers(one, "source")), origin_of(one))
        for one in mappings(rule.get("from"))
    )
    operations = tuple(
        Alternative((*operation_terms(mapping(one.get("operation"))), *_strangers(one, "operation")), origin_of(one))
        for one in mappings(rule.get("to"))
    )
    whens = (term for one in mappings(rule.get("when")) for term in condition_terms(one, reading))
    return PolicyRule(sources, operations, (*whens, *_strangers(rule, "from", "to", "when")), origin_of(rule))


def _strangers(part: MapNode, *known: str) -> tuple[Term, ...]:
    return tuple(unknown_term(entry) for entry in part.entries if entry.key not in known)


def http_form(rule: PolicyRule) -> Form:
    """What the rule asks of a request."""
    ports, operations, rest = _operations(rule.operations)
    callers, of_sources = _callers(rule, _as_written, on_tcp=False)
    whens = (term.predicate for term in rule.conditions if not term.is_identity)
    return Form(callers, ports, operations, conjunction((of_sources, rest, *whens)))


def tcp_form(rule: PolicyRule) -> Form:
    """What the rule asks of a connection if the fields that do not exist there are left out, as in a rule that denies.

    An item without any field left is met by everything.
    """
    callers, of_sources = _callers(rule, lambda term: term.on_tcp, on_tcp=True)
    kept = tuple(Alternative(_on_tcp(one.terms), one.origin) for one in rule.operations)
    ports, is_exact = _common_ports(kept)
    rest = Always() if is_exact else _any(kept, lambda term: term.on_tcp)
    whens = (term.on_tcp for term in _on_tcp(rule.conditions) if not term.is_identity)
    return Form(callers, ports, (), conjunction((of_sources, rest, *whens)))


def _as_written(term: Term) -> Predicate:
    return term.predicate


def _on_tcp(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    return tuple(term for term in terms if not term.is_http)


def _any(alternatives: tuple[Alternative, ...], meaning: _Meaning) -> Predicate:
    if not alternatives:
        return Always()
    return disjunction(tuple(conjunction(tuple(map(meaning, one.terms))) for one in alternatives))


def _callers(rule: PolicyRule, meaning: _Meaning, *, on_tcp: bool) -> tuple[Predicate, Predicate]:
    """The callers by identity, and what sources ask besides. Both must hold; together they are what is written.

    Where the items of `from` ask for other things than identities, the callers are all that some item could take.
    """
    chosen = tuple(Alternative(_on_tcp(one.terms) if on_tcp else one.terms, one.origin) for one in rule.sources)
    whens = tuple(meaning(term) for term in rule.conditions if term.is_identity)
    identities = tuple(conjunction(tuple(meaning(term) for term in one.terms if term.is_identity)) for one in chosen)
    others = tuple(conjunction(tuple(meaning(term) for term in one.terms if not term.is_identity)) for one in chosen)
    callers = disjunction(tuple(dict.fromkeys(identities))) if chosen else Always()
    if len(set(identities)) <= 1:
        rest = disjunction(tuple(dict.fromkeys(others))) if chosen else Always()
    elif all(isinstance(other, Always) for other in others):
        rest = Always()
    else:
        rest = _any(chosen, meaning)
    return conjunction((callers, *whens)), rest


def _operations(
    alternatives: tuple[Alternative, ...],
) -> tuple[tuple[int, ...] | None, tuple[Operation, ...], Predicate]:
    """Ports, operations and the rest, which together are the items of `to`."""
    ports, is_exact = _common_ports(alternatives)
    if is_exact:
        return ports, (), Always()
    rests = tuple(
        Alternative(tuple(term for term in one.terms if not _is_ports(term)), one.origin) for one in alternatives
    )
    is_shared = len({_ports_of(one) for one in alternatives}) == 1
    if not is_shared:
        return None, (), _any(alternatives, _as_written)
    if all(_is_plain(term) for one in rests for term in one.terms):
        return ports, tuple(operation for one in rests for operation in _plain(one)), Always()
    return ports, (), _any(rests, _as_written)


def _common_ports(alternatives: tuple[Alternative, ...]) -> tuple[tuple[int, ...] | None, bool]:
    """The ports that all items name, and whether ports are all that they ask for: then they are alternatives."""
    named = [_ports_of(one) for one in alternatives]
    if not all(_is_ports(term) for one in alternatives for term in one.terms):
        return (named[0] if len(set(named)) == 1 else None), False
    listed = [ports for ports in named if ports is not None]
    if not listed or len(listed) < len(named):
        return None, True
    return tuple(sorted({port for ports in listed for port in ports})), True


def _is_ports(term: Term) -> bool:
    return term.name == "ports" and not term.is_negated


def _ports_of(alternative: Alternative) -> tuple[int, ...] | None:
    found = [term for term in alternative.terms if _is_ports(term)]
    return tuple(sorted({int(value) for value in found[0].values})) if found else None


def _is_plain(term: Term) -> bool:
    if term.is_negated or term.name not in {"methods", "paths"}:
        return False
    return term.name == "paths" or not any("*" in value for value in term.values)


def _plain(alternative: Alternative) -> tuple[Operation, ...]:
    """Methods and paths as operations, one for each path."""
    methods = tuple(value for term in alternative.terms if term.name == "methods" for value in term.values)
    paths = tuple(value for term in alternative.terms if term.name == "paths" for value in term.values)
    if not paths:
        return (Operation(methods, None, alternative.origin),)
    return tuple(Operation(methods, matchers.path_matcher(path), alternative.origin) for path in dict.fromkeys(paths))
