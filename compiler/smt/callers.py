"""Who can call: the classes of identities that a policy can tell apart, one and the same for all of its ports.

Declared identities stand alone; the others are classes such as "another account of this namespace". The last class is
the callers without identity. An identity of an alias of our trust domain is the one of ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from meshproof.compiler.ir.entities import Gateway, Service, SourceSet
from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Present, Regex
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName, SpiffeId
from meshproof.compiler.ir.predicate import (
    Always,
    And,
    Never,
    Not,
    Opaque,
    Or,
    Predicate,
    SourceIdentity,
    Test,
)
from meshproof.compiler.patterns.istio_forms import stands_anywhere
from meshproof.compiler.patterns.universe import Universe, spiffe_ids
from meshproof.compiler.smt.classes import text_classes
from meshproof.compiler.smt.solver import Undecided


@dataclass(frozen=True, slots=True)
class Caller:
    """One class of callers: an identity of it (None: without), and the declared nodes that have just this identity."""

    uri: str | None
    nodes: tuple[NodeName, ...] = ()

    @property
    def title(self) -> str:
        """What to call it: a declared name, an identity, or `plaintext`."""
        return str(self.nodes[0]) if self.nodes else self.uri or "plaintext"

    @property
    def is_declared(self) -> bool:
        """Whether the class is the identity of something declared, and of nothing else."""
        return bool(self.nodes)


def identities_of(domains: tuple[str, ...] | None, matchers: Iterable[Matcher]) -> Universe:
    """Every identity of these trust domains, or of any.

    Istio looks for a namespace or account anywhere in an identity. Where a matcher does, identities are taken to name
    one of each, as everything that Kubernetes issues does: a premise, without which a dozen could not be told apart.
    """
    return spiffe_ids(domains, names_one_account=any(map(is_loose, matchers)))


def is_loose(matcher: Matcher) -> bool:
    """Whether the matcher looks for a namespace or account anywhere in an identity."""
    return isinstance(matcher, Regex) and stands_anywhere(matcher.pattern)


class Callers:
    """The partition of all callers. Classes are numbered; a set of them is a bit mask."""

    def __init__(self, mesh: Mesh, matchers: Iterable[Matcher]) -> None:
        self._declared = _declared(mesh)
        self.matchers = tuple(dict.fromkeys((Present(), *matchers)))
        exact: tuple[Matcher, ...] = tuple(Exact(uri) for uri in self._declared)
        universe = identities_of((mesh.trust_domain, *mesh.trusts), self.matchers)
        samples = (*self._declared, *likely_identities(self.matchers))
        classes = text_classes((*self.matchers, *exact), universe, samples)
        self.classes: tuple[Caller, ...] = (
            *(Caller(uri, self._declared.get(uri, ())) for uri in classes.witnesses),
            Caller(None),
        )
        self._masks = dict(classes.masks)
        self._sets: dict[int, tuple[SourceSet, int]] = {}  # by identity, and kept so that no other has it
        self._numbers = {caller.uri: number for number, caller in enumerate(self.classes)}
        gateways = {canonical(mesh, gateway.identity) for gateway in mesh.gateways}
        self.gateways = sum(1 << number for uri, number in self._numbers.items() if uri in gateways)

    @property
    def every(self) -> int:
        """All callers."""
        return (1 << len(self.classes)) - 1

    @property
    def anonymous(self) -> int:
        """The callers without identity."""
        return 1 << (len(self.classes) - 1)

    def knows(self, matchers: Iterable[Matcher]) -> bool:
        """Whether the partition tells apart what these matchers do."""
        return all(matcher in self._masks for matcher in matchers)

    def mask(self, matcher: Matcher) -> int:
        """The callers whose identity passes; one of those that the partition was made for."""
        return self._masks[matcher]

    def of_predicate(self, predicate: Predicate) -> int:
        """The callers of which a predicate over identities alone holds."""
        match predicate:
            case Always():
                return self.every
            case Never():
                return 0
            case Test(SourceIdentity(), matcher):
                return self.mask(matcher)
            case Not(operand):
                return self.every & ~self.of_predicate(operand)
            case And(operands):
                result = self.every
                for operand in operands:
                    result &= self.of_predicate(operand)
                return result
            case Or(operands):
                result = 0
                for operand in operands:
                    result |= self.of_predicate(operand)
                return result
            case Test() | Opaque():
                raise Undecided("a set of callers reads more than identities")
            case _:
                assert_never(predicate)

    def of_sources(self, sources: SourceSet, *, is_gateway: bool) -> int:
        """The callers in the set, before a gateway or elsewhere."""
        known = self._sets.get(id(sources))
        if known is None:
            known = self._sets[id(sources)] = (sources, self.of_predicate(sources.matches))
        internet = self.anonymous if sources.has_internet and is_gateway else 0
        return known[1] | internet

    def of_nodes(self, names: Iterable[NodeName]) -> int:
        """The callers with the identities of these declared nodes."""
        wanted = set(names)
        return sum(1 << number for number, caller in enumerate(self.classes) if not wanted.isdisjoint(caller.nodes))


def canonical(mesh: Mesh, identity: SpiffeId) -> str:
    """The identity as policies name it, with an alias of our trust domain replaced."""
    if identity.trust_domain not in mesh.aliases:
        return identity.uri
    return SpiffeId(mesh.trust_domain, identity.path).uri


def _declared(mesh: Mesh) -> dict[str, tuple[NodeName, ...]]:
    """The identities of services, then gateways, with their owners; those of domains not trusted call nobody."""
    found: dict[str, tuple[NodeName, ...]] = {}
    trusted = {mesh.trust_domain, *mesh.aliases, *mesh.trusts}
    nodes: tuple[Service | Gateway, ...] = (*mesh.services, *mesh.gateways)
    for node in nodes:
        if node.identity.trust_domain in trusted:
            uri = canonical(mesh, node.identity)
            found[uri] = (*found.get(uri, ()), node.name)
    return found


def likely_identities(matchers: Iterable[Matcher]) -> Iterable[str]:
    """Identities as Kubernetes meshes give them, below each prefix that they may have."""
    for matcher in matchers:
        if isinstance(matcher, Prefix):
            parts = matcher.value.split("/")
            if parts[-1] == "" and "ns" in parts:
                yield matcher.value + ("other" if parts[-2] == "sa" else "sa/other")


def members(mask: int) -> Iterable[int]:
    """The numbers in a mask, ascending."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
