"""Who can call, divided so that what two policies say about callers can be compared.

A caller is who it is whatever a policy calls it: an identity is taken as it arrives, before aliases are read. Each side
knows it as one of its own, as one of a foreign domain that it trusts, or not at all: then no handshake is verified.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, count, islice
from typing import TypeAlias

from meshproof.compiler.ir.entities import Gateway, Service
from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Present
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.patterns.automaton import Automaton
from meshproof.compiler.patterns.partition import Limits
from meshproof.compiler.patterns.pattern import to_automaton
from meshproof.compiler.patterns.product_classes import ProductPartition
from meshproof.compiler.patterns.refusal import PatternRefused, PatternTooLarge
from meshproof.compiler.patterns.universe import without
from meshproof.compiler.smt.callers import Caller, Callers, canonical, identities_of, likely_identities
from meshproof.compiler.smt.classes import is_match, pattern_of, text_classes
from meshproof.compiler.smt.solver import Undecided

STRANGERS = ("other.example", "stranger.example", "another.example")
_SCHEME = "spiffe://"
_MOST_SHOWN = 4

_Pairs: TypeAlias = dict[tuple[int, int], tuple[NodeName, ...]]
"""By the class of a caller on each side the workloads that it stands for."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Which identities a side verifies, and as whose it reads them."""

    own: str
    aliases: tuple[str, ...]
    trusts: tuple[str, ...]

    @classmethod
    def of(cls, mesh: Mesh) -> Trust:
        """The trust of a mesh."""
        return cls(mesh.trust_domain, mesh.aliases, mesh.trusts)

    @property
    def domains(self) -> tuple[str, ...]:
        """Every domain whose identities are verified."""
        return (self.own, *self.aliases, *self.trusts)

    def canonical(self, domain: str) -> str | None:
        """The domain as which rules read it; None for one that is not trusted."""
        if domain == self.own or domain in self.aliases:
            return self.own
        return domain if domain in self.trusts else None


@dataclass(frozen=True, slots=True)
class JointCaller:
    """One class of callers: an identity of it as it arrives at either side (None: without one).

    Both are the same unless callers are compared as workloads, whose identity may have changed: then `workloads` are
    those that it stands for, by their new names.
    """

    old: str | None
    new: str | None
    workloads: tuple[NodeName, ...] = ()


class SideCallers(Callers):
    """The joint classes as one side knows them. Those that it does not trust are in none of its sets."""

    def __init__(
        self, classes: tuple[Caller, ...], masks: Mapping[Matcher, int], gateways: frozenset[str], trusted: int
    ) -> None:
        self.classes = classes
        self.matchers = tuple(masks)
        self._masks = dict(masks)
        self._sets = {}
        self._trusted = trusted
        self.gateways = trusted & sum(1 << number for number, one in enumerate(classes) if one.uri in gateways)

    @property
    def every(self) -> int:
        """All callers but those of domains that are not trusted."""
        return self._trusted | self.anonymous

    @property
    def untrusted(self) -> int:
        """The callers whose handshake fails here."""
        return (1 << len(self.classes)) - 1 & ~self.every


@dataclass(frozen=True, slots=True)
class JointCallers:
    """The partition of all callers by both policies. The last class are those without identity.

    `senders` are the callers as their own proxies know them, which is what routes read: each is somebody there, whether
    the side that is called trusts its domain or not.
    """

    classes: tuple[JointCaller, ...]
    old: SideCallers
    new: SideCallers
    senders: tuple[SideCallers, SideCallers]


@dataclass(frozen=True, slots=True)
class _Class:
    """An identity as it arrives, and as the rules of each side read it (None: not trusted, so they never do)."""

    raw: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class _Divided:
    """Classes of identities, and the masks of the matchers of each side over them, of those not trusted as well."""

    classes: tuple[_Class, ...]
    old: dict[Matcher, int]
    new: dict[Matcher, int]


def joint_callers(
    old: Mesh,
    new: Mesh,
    matchers: Iterable[Matcher],
    workloads: Sequence[tuple[NodeName, NodeName]] | None = None,
    *,
    of_routes: Iterable[Matcher] = (),
) -> JointCallers:
    """The callers that these matchers tell apart on either side.

    With `workloads`, pairs of declared callers of both sides, those are compared as workloads: each is one caller, with
    the identity that it has on either side. `of_routes` are the matchers of identities in routes: those tell apart
    callers that a side does not trust, too. Raises Undecided.
    """
    routed = tuple(dict.fromkeys(of_routes))
    wanted = tuple(dict.fromkeys((Present(), *matchers, *routed)))
    divided = _divided((old, new), wanted, routed)
    pairs: dict[tuple[int, int], tuple[NodeName, ...]] = {
        (number, number): () for number in range(len(divided.classes))
    }
    if workloads is not None:
        pairs = _as_workloads((old, new), divided, workloads)
    classes = tuple(
        JointCaller(divided.classes[one].raw, divided.classes[other].raw, names)
        for (one, other), names in pairs.items()
    )
    order = [one for one, _ in pairs], [other for _, other in pairs]
    read = [divided.classes[one].old for one in order[0]], [divided.classes[other].new for other in order[1]]
    raw = [divided.classes[one].raw for one in order[0]], [divided.classes[other].raw for other in order[1]]
    return JointCallers(
        (*classes, JointCaller(None, None)),
        _side(old, read[0], divided.old, order[0]),
        _side(new, read[1], divided.new, order[1]),
        (
            _side(old, _as_sent(read[0], raw[0]), divided.old, order[0]),
            _side(new, _as_sent(read[1], raw[1]), divided.new, order[1]),
        ),
    )


def _as_sent(read: Iterable[str | None], raw: Iterable[str]) -> list[str]:
    """What routes read of each identity: no domain is an alias of ours but one that we trust."""
    return [identity if known is None else known for known, identity in zip(read, raw, strict=True)]


def _shown(meshes: tuple[Mesh, Mesh], matchers: tuple[Matcher, ...]) -> Iterator[str]:
    """Declared identities to show for classes that hold some: the exact ones, and a few for each other matcher."""
    declared = tuple(dict.fromkeys(uri for mesh in reversed(meshes) for uri in _declared(mesh)))
    for matcher in matchers:
        if isinstance(matcher, Exact):
            yield from (matcher.value,) if matcher.value in declared else ()
        else:
            yield from islice((uri for uri in declared if is_match(matcher, uri)), _MOST_SHOWN)


def _side(mesh: Mesh, uris: Sequence[str | None], masks: Mapping[Matcher, int], order: Sequence[int]) -> SideCallers:
    """The callers of a side; those whose identity it does not read (None) are in none of its sets."""
    nodes = _declared(mesh)
    classes = (*(Caller(uri, nodes.get(uri, ()) if uri else ()) for uri in uris), Caller(None))
    trusted = sum(1 << number for number, uri in enumerate(uris) if uri is not None)
    ordered = {
        matcher: trusted & sum((mask >> old & 1) << k for k, old in enumerate(order)) for matcher, mask in masks.items()
    }
    gateways = frozenset(canonical(mesh, gateway.identity) for gateway in mesh.gateways)
    return SideCallers(classes, ordered, gateways, trusted)


def _declared(mesh: Mesh) -> dict[str, tuple[NodeName, ...]]:
    found: dict[str, tuple[NodeName, ...]] = {}
    callers: tuple[Service | Gateway, ...] = (*mesh.services, *mesh.gateways)
    for node in callers:
        uri = canonical(mesh, node.identity)
        found[uri] = (*found.get(uri, ()), node.name)
    return found


def _divided(meshes: tuple[Mesh, Mesh], matchers: tuple[Matcher, ...], routed: tuple[Matcher, ...]) -> _Divided:
    """The classes of all identities: those of each pair of domains as which both sides read one, then strangers."""
    old, new = (Trust.of(mesh) for mesh in meshes)
    samples = tuple(dict.fromkeys((*_shown(meshes, matchers), *likely_identities(matchers))))
    parts: list[_Divided] = []
    alike: list[str] = []
    done: set[tuple[str | None, str | None]] = set()
    for raw in dict.fromkeys((*new.domains, *old.domains)):
        pair = (old.canonical(raw), new.canonical(raw))
        if pair in done:
            continue
        done.add(pair)
        read = pair if not routed else (pair[0] or raw, pair[1] or raw)
        if pair == (raw, raw):
            alike.append(raw)
        elif read[0] == read[1] or None in read:
            parts.append(_of_one_domain(raw, pair, matchers, samples))
        else:
            parts.append(_of_two_domains(raw, pair, matchers))
    if alike:
        classes = text_classes(matchers, identities_of(tuple(sorted(alike)), matchers), samples)
        masks = dict(classes.masks)
        parts.insert(0, _Divided(tuple(_Class(uri, uri, uri) for uri in classes.witnesses), masks, dict(masks)))
    parts.append(_strangers(tuple(dict.fromkeys((*old.domains, *new.domains))), matchers, routed))
    return _joined(parts, matchers)


def _strangers(known: tuple[str, ...], matchers: tuple[Matcher, ...], routed: tuple[Matcher, ...]) -> _Divided:
    """The identities of all other domains, as far as routes tell them apart; the last class has a plain one."""
    stranger = next(name for name in chain(STRANGERS, _more_strangers()) if name not in known)
    uri = f"{_SCHEME}{stranger}/ns/other/sa/other"
    reaching = tuple(one for one in routed if not isinstance(one, Present) and not _is_within(one, known))
    masks = dict.fromkeys(matchers, 0)
    found: tuple[str, ...] = (uri,)
    if reaching:
        universe = without(identities_of(None, reaching), identities_of(known, reaching))
        classes = text_classes(reaching, universe, (uri,))
        found = (*classes.witnesses[1:], classes.witnesses[0])  # the plain one stands first among the classes
        masks.update((one, mask >> 1 | (mask & 1) << (len(found) - 1)) for one, mask in classes.masks)
    masks[Present()] = (1 << len(found)) - 1
    return _Divided(tuple(_Class(one, None, None) for one in found), masks, dict(masks))


def _is_within(matcher: Matcher, domains: tuple[str, ...]) -> bool:
    """Whether all that a matcher takes is of these domains, as far as its text shows."""
    starts = tuple(f"{_SCHEME}{domain}/" for domain in domains)
    return isinstance(matcher, Exact | Prefix) and not matcher.ignore_case and matcher.value.startswith(starts)


def _more_strangers() -> Iterator[str]:
    return (f"stranger{number}.example" for number in count(1))


def _of_one_domain(
    raw: str, pair: tuple[str | None, str | None], matchers: tuple[Matcher, ...], samples: tuple[str, ...]
) -> _Divided:
    """A domain that both sides read as one and the same, or one of them alone."""
    read = pair[0] or pair[1] or raw
    classes = text_classes(matchers, identities_of((read,), matchers), samples)
    found = tuple(
        _Class(_within(uri, read, raw), uri if pair[0] else None, uri if pair[1] else None) for uri in classes.witnesses
    )
    masks = dict(classes.masks)
    return _Divided(found, masks, dict(masks))


def _of_two_domains(raw: str, read: tuple[str | None, str | None], matchers: tuple[Matcher, ...]) -> _Divided:
    """A domain that the sides read as different ones: what is divided are the paths of its identities.

    A side that does not trust the domain (None) reads nothing of it, but for routes.
    """
    pair = (read[0] or raw, read[1] or raw)
    try:
        bits = [(side, matcher) for side in range(2) for matcher in matchers]
        others = []
        for bit, (side, matcher) in enumerate(bits):
            known = pattern_of(matcher)
            if known is not None:
                others.append((_behind(to_automaton(known), f"{_SCHEME}{pair[side]}"), 1 << bit))
        paths = _behind(identities_of((raw,), matchers).language, f"{_SCHEME}{raw}")
        witnesses = ProductPartition(paths, {}, others, Limits()).witnesses
    except (PatternRefused, PatternTooLarge) as refusal:
        raise Undecided(refusal.reason) from refusal
    found = sorted(witnesses.items(), key=lambda item: (len(item[1]), item[1]))
    classes = tuple(
        _Class(f"{_SCHEME}{raw}{path}", *(one and f"{_SCHEME}{one}{path}" for one in read))  # one path, three domains
        for _, path in found
    )
    masks: tuple[dict[Matcher, int], dict[Matcher, int]] = ({}, {})
    for bit, (side, matcher) in enumerate(bits):
        masks[side][matcher] = sum(1 << number for number, (signature, _) in enumerate(found) if signature >> bit & 1)
    return _Divided(classes, *masks)


@lru_cache(maxsize=256)
def _behind(automaton: Automaton, start: str) -> Automaton:
    """What may follow `start` in the language: its left quotient (Brzozowski 1964)."""
    state = automaton.run(start)
    swap = {0: state, state: 0}
    rows = [tuple(swap.get(target, target) for target in row) for row in automaton.rows]
    accepting = list(automaton.accepting)
    rows[0], rows[state] = rows[state], rows[0]
    accepting[0], accepting[state] = accepting[state], accepting[0]
    return Automaton(automaton.alphabet, tuple(rows), tuple(accepting))


def _within(uri: str, domain: str, other: str) -> str:
    return f"{_SCHEME}{other}{uri.removeprefix(_SCHEME + domain)}"


def _joined(parts: Sequence[_Divided], matchers: tuple[Matcher, ...]) -> _Divided:
    classes: list[_Class] = []
    old, new = dict.fromkeys(matchers, 0), dict.fromkeys(matchers, 0)
    for part in parts:
        for matcher in matchers:
            old[matcher] |= part.old[matcher] << len(classes)
            new[matcher] |= part.new[matcher] << len(classes)
        classes.extend(part.classes)
    return _Divided(tuple(classes), old, new)


def _as_workloads(
    meshes: tuple[Mesh, Mesh], divided: _Divided, workloads: Sequence[tuple[NodeName, NodeName]]
) -> _Pairs:
    """The classes of declared callers first, by their identities on both sides, then those that nobody declared."""
    old = _places(meshes[0], tuple(one.old for one in divided.classes))
    new = _places(meshes[1], tuple(one.new for one in divided.classes))
    found: _Pairs = {}
    for one, other in workloads:
        if one in old and other in new:
            pair = (old[one], new[other])
            found[pair] = (*found.get(pair, ()), other)
    for place, paired in ((old, {one for one, _ in workloads}), (new, {other for _, other in workloads})):
        for name, number in place.items():
            if name not in paired:
                found[number, number] = (*found.get((number, number), ()), name)
    strangers = len(divided.classes) - 1
    declared = {*old.values(), *new.values()} - {strangers}
    found.update(((number, number), ()) for number in range(len(divided.classes)) if number not in declared)
    return found


def _places(mesh: Mesh, uris: tuple[str | None, ...]) -> dict[NodeName, int]:
    """The class of each declared caller on a side; the last one, of strangers, if no handshake of it is verified."""
    numbers: dict[str, int] = {}
    for number, uri in enumerate(uris):
        if uri is not None:
            numbers.setdefault(uri, number)
    callers: tuple[Service | Gateway, ...] = (*mesh.services, *mesh.gateways)
    return {node.name: numbers.get(canonical(mesh, node.identity), len(uris) - 1) for node in callers}
