"""Random sets of callers, as resolve makes them."""

from __future__ import annotations

from random import Random

from tests.strategies import vocabulary as words

from meshproof.compiler.ir.entities import Gateway, Service, SourceSet
from meshproof.compiler.ir.matchers import Exact, Prefix, Present
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import (
    Always,
    And,
    Never,
    Not,
    Or,
    Predicate,
    SourceIdentity,
    Test,
    conjunction,
    disjunction,
    negation,
)
from meshproof.compiler.semantics.matching import matches

Callers = tuple[Service | Gateway, ...]


def random_sources(rng: Random, callers: Callers, *, may_be_internet: bool) -> SourceSet:
    """A set of the language's algebra; `internet` stands for itself, or in a union."""
    kind = rng.random()
    if may_be_internet and kind < 0.35:
        if rng.random() < 0.7:
            return SourceSet(Never(), has_internet=True, members=(), shared=(), text="internet")
        predicate, members, text = _set(rng, callers)
        return _complete(disjunction((predicate,)), members, callers, f"{{ internet, {text} }}", has_internet=True)
    if kind < 0.75:
        predicate, members, text = _set(rng, callers)
        return _complete(predicate, members, callers, text)
    (left, left_members, left_text), (right, right_members, right_text) = _set(rng, callers), _set(rng, callers)
    if kind < 0.85:
        members = left_members - right_members
        return _complete(conjunction((left, negation(right))), members, callers, f"{left_text} except {right_text}")
    if kind < 0.95:
        members = left_members | right_members
        return _complete(disjunction((left, right)), members, callers, f"{left_text} or {right_text}")
    return _complete(conjunction((left, right)), left_members & right_members, callers, f"{left_text} and {right_text}")


def gateway_sources(rng: Random, callers: Callers) -> SourceSet | None:
    """A set of gateways alone, as a rule needs that reads `client.ip`."""
    gateways = [caller for caller in callers if isinstance(caller, Gateway)]
    if not gateways:
        return None
    gateway = rng.choice(gateways)
    return _complete(_is(gateway), frozenset((gateway.name,)), callers, str(gateway.name))


def _set(rng: Random, callers: Callers) -> tuple[Predicate, frozenset[NodeName], str]:
    services = tuple(caller for caller in callers if isinstance(caller, Service))
    kind = rng.random()
    if kind < 0.5:
        caller = rng.choice(callers)
        return _is(caller), frozenset((caller.name,)), str(caller.name)
    if kind < 0.6:
        namespace = rng.choice(words.NAMESPACES)
        prefix = Prefix(f"spiffe://{words.TRUST_DOMAIN}/ns/{namespace}/")
        members = frozenset(service.name for service in services if service.namespace == namespace)
        return Test(SourceIdentity(), prefix), members, f"namespace {namespace}"
    if kind < 0.7:
        tag = rng.choice(words.TAGS)
        tagged = tuple(service for service in services if tag in service.tags)
        return disjunction(tuple(map(_is, tagged))), frozenset(service.name for service in tagged), f"tagged {tag}"
    if kind < 0.75:
        return disjunction(tuple(map(_is, services))), frozenset(service.name for service in services), "all"
    prefix = Prefix(f"spiffe://{words.PARTNER}/")
    return rng.choice(
        (
            (Test(SourceIdentity(), prefix), frozenset(), f'identity "{prefix.value}*"'),
            (Test(SourceIdentity(), Present()), frozenset(), "authenticated"),
            (negation(Test(SourceIdentity(), Present())), frozenset(), "plaintext"),
            (Always(), frozenset(), "anyone"),
        )
    )


def _is(caller: Service | Gateway) -> Predicate:
    return Test(SourceIdentity(), Exact(caller.identity.uri))


def _complete(
    predicate: Predicate, members: frozenset[NodeName], callers: Callers, text: str, *, has_internet: bool = False
) -> SourceSet:
    matched = (caller.name for caller in callers if takes(predicate, caller.identity.uri))
    shared = tuple(sorted(name for name in matched if name not in members))
    return SourceSet(predicate, has_internet, tuple(sorted(members)), shared, text)


def takes(predicate: Predicate, identity: str | None) -> bool:
    """Whether a set takes a caller of that identity."""
    match predicate:
        case Test(SourceIdentity(), matcher):
            return identity is not None and matches(matcher, identity)
        case Always():
            return True
        case Never():
            return False
        case _:
            return _combined(predicate, identity)


def _combined(predicate: Predicate, identity: str | None) -> bool:
    match predicate:
        case Not(operand):
            return not takes(operand, identity)
        case And(operands):
            return all(takes(operand, identity) for operand in operands)
        case Or(operands):
            return any(takes(operand, identity) for operand in operands)
        case _:
            raise AssertionError(predicate)
