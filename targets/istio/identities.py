"""Sets of callers as `source` blocks: the algebra of SPIFFE IDs that an AuthorizationPolicy can say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Present
from meshproof.compiler.ir.predicate import Predicate
from meshproof.targets.common.findings import NotExpressibleError
from meshproof.targets.istio.clauses import Clause, clauses
from meshproof.targets.istio.model import Source

Identities: TypeAlias = Exact | Prefix | Present
"""Verified identities: one, all below a prefix, or every one."""

SCHEME = "spiffe://"
POINTER = "cluster.local"
"""Istio reads this trust domain as "any of ours", whatever ours is called (trustdomain/bundle.go)."""

ANYONE = Source()
_PRINCIPAL_PARTS = 5  # `DOMAIN/ns/NAMESPACE/sa/ACCOUNT`; a value with another number is never rewritten


@dataclass(frozen=True, slots=True)
class Domains:
    """The trust domains of the mesh: `own` stands for `aliases` too in every identity of the IR."""

    own: str
    aliases: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()

    @property
    def bundle(self) -> tuple[str, ...]:
        """The domains that Istio takes for the same."""
        return (self.own, *self.aliases)

    @property
    def trusted(self) -> tuple[str, ...]:
        """The domains whose identities are ever verified."""
        return (*self.bundle, *self.foreign)


def sources_of(predicate: Predicate, domains: Domains) -> tuple[Source, ...]:
    """The blocks of which some takes a caller exactly if the predicate, which reads identities alone, does.

    None at all if no caller is taken; `ANYONE` alone if every caller is. Raises `NotExpressibleError`.
    """
    anonymous: list[Source] = []
    verified: dict[tuple[Matcher, ...], list[Identities]] = {}
    for clause in clauses(predicate):
        taken, refused = _reduce(clause)
        if taken is None:
            if not refused:
                return (ANYONE,)
            anonymous.append(Source(not_principals=_values(refused, domains)))
            continue
        for one in taken:
            if not any(_includes(other, one) for other in refused):
                verified.setdefault(tuple(other for other in refused if _includes(one, other)), []).append(one)
    blocks = (
        Source(principals=_values(_widest(taken), domains), not_principals=_values(refused, domains))
        for refused, taken in verified.items()
    )
    return tuple(dict.fromkeys((*blocks, *anonymous)))


def _reduce(clause: Clause) -> tuple[tuple[Identities, ...] | None, tuple[Matcher, ...]]:
    """The identities taken (None: not even an identity is asked for), and those refused."""
    taken: tuple[Identities, ...] | None = None
    refused: tuple[Matcher, ...] = ()
    for literal in clause:
        if not literal.is_positive:
            refused = (*refused, *literal.matchers)
        elif taken is None:
            taken = tuple(_identities(matcher) for matcher in literal.matchers)
        else:
            met = (_meet(one, _identities(matcher)) for one in taken for matcher in literal.matchers)
            taken = tuple(one for one in met if one is not None)
    if taken is None and any(isinstance(matcher, Present) for matcher in refused):
        return None, (Present(),)
    return taken, tuple(dict.fromkeys(refused))


def _identities(matcher: Matcher) -> Identities:
    if isinstance(matcher, Exact | Prefix | Present):
        return matcher
    raise NotExpressibleError(Feature.IDENTITY_SOURCE, "it matches identities by value or prefix alone")


def _includes(larger: Matcher, smaller: Matcher) -> bool:
    match larger, smaller:
        case Present(), _:
            return True
        case Prefix(start), Exact(value) | Prefix(value):
            return value.startswith(start)
        case _:
            return larger == smaller


def _meet(one: Identities, other: Identities) -> Identities | None:
    if _includes(one, other):
        return other
    return one if _includes(other, one) else None


def _widest(taken: Iterable[Identities]) -> tuple[Identities, ...]:
    """Without those that another one includes."""
    every = tuple(dict.fromkeys(taken))
    return tuple(one for one in every if not any(other != one and _includes(other, one) for other in every))


def _values(matchers: Iterable[Matcher], domains: Domains) -> tuple[str, ...]:
    found: list[str] = reduce(lambda known, matcher: known + _principals(matcher, domains), matchers, [])
    return tuple(dict.fromkeys(found))


def _principals(matcher: Matcher, domains: Domains) -> list[str]:
    """The values of `principals`, without the scheme.

    Istio rewrites a value of five parts to one for each domain of the bundle, and no other: there the aliases are its
    to add, everywhere else they are written out.
    """
    match matcher:
        case Present():
            return ["*"]
        case Exact(uri):
            value = _without_scheme(uri)
            _refuse_pointer(value, domains)
            domain, _, rest = value.partition("/")
            if value.count("/") + 1 == _PRINCIPAL_PARTS or domain != domains.own:
                return [value]
            return [f"{one}/{rest}" for one in domains.bundle]
        case Prefix(start):
            value = _without_scheme(start)
            _refuse_pointer(value + "*", domains)
            domain, slash, rest = value.partition("/")
            if not slash:
                raise NotExpressibleError(Feature.IDENTITY_SOURCE, f"`{start}` ends within a trust domain")
            every = domains.bundle if domain == domains.own else (domain,)
            return [f"{one}/{rest}*" for one in every]
        case _:
            raise NotExpressibleError(Feature.IDENTITY_SOURCE, "it matches identities by value or prefix alone")


def _without_scheme(uri: str) -> str:
    if not uri.startswith(SCHEME):
        raise NotExpressibleError(Feature.IDENTITY_SOURCE, f"`{uri}` is no SPIFFE ID")
    return uri.removeprefix(SCHEME)


def _refuse_pointer(value: str, domains: Domains) -> None:
    parts = value.split("/")
    if len(parts) == _PRINCIPAL_PARTS and parts[0] == POINTER and POINTER not in domains.bundle:
        raise NotExpressibleError(
            Feature.FOREIGN_TRUST,
            f"it reads the foreign trust domain `{POINTER}` in `{value}` as our own",
            "allow the whole namespace with `namespace N of ...`, whose form Istio does not rewrite",
        )
