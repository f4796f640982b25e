"""Sets of callers in words: by the names that policies give them, else by their identities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.entities import Gateway, Service, SourceSet
from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Present
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import Always, Or, Predicate, SourceIdentity, Test, disjunction, negation
from meshproof.compiler.smt.callers import canonical
from meshproof.compiler.smt.joint import Joint
from meshproof.compiler.smt.joint_callers import SideCallers, Trust
from meshproof.compiler.verify.semantic_diff_names import Named, described, predicate_of
from meshproof.compiler.verify.semantic_diff_words import Indescribable

STRANGERS = "identities of other trust domains"
_SCHEME = "spiffe://"
_FEW = 4
_HAS_IDENTITY = Test(SourceIdentity(), Present())


@dataclass(frozen=True, slots=True)
class Callers:
    """A set of callers: what to call them, and the condition over identities that holds of them."""

    texts: tuple[str, ...]
    predicate: Predicate


class CallerNames:
    """What the callers of one port are called."""

    def __init__(self, joint: Joint, meshes: tuple[Mesh, Mesh]) -> None:
        self._joint = joint
        self._meshes = meshes
        self._identities = tuple(_identities(mesh) for mesh in meshes)
        self._has_workloads = any(caller.workloads for caller in joint.callers.classes)
        self._names = tuple(self._all())

    def callers(self, values: int) -> Callers:
        """A set of values of the caller. Raises Indescribable.

        `anyone` is as in the language whoever has a verified identity or none: an identity that is not verified is
        named by itself.
        """
        every = (1 << len(self._joint.environment.local)) - 1
        terms = described(values, every, self._names, has_everything=False)
        if terms is None:
            raise Indescribable
        texts = []
        for term in terms:
            inside = " and ".join(_bare(one.text) for one in term.inside) or "anyone"
            outside = ", ".join(_bare(one.text) for one in term.outside)
            texts.append(f"{inside} except {outside}" if outside else inside)
        return Callers(tuple(sorted(texts)), predicate_of(terms))

    def _all(self) -> Iterator[Named]:
        """Names whose sets are not the same on both sides say which one they mean."""
        found: dict[str, dict[int, tuple[Named, str]]] = {}
        for side, word in ((1, "now"), (0, "before")):
            for one in self._of_side(side):
                known = found.setdefault(one.text, {}).setdefault(one.mask, (one, word))
                if one.rank < known[0].rank:
                    found[one.text][one.mask] = (one, known[1])
        for text, alternatives in found.items():
            is_plain = len(alternatives) == 1
            words = [word for _, word in alternatives.values()]
            for one, word in alternatives.values():
                if is_plain:
                    yield one
                elif words.count(word) == 1:
                    yield replace(one, text=f"{text} ({word})", rank=one.rank + 4)
        yield from self._lists()
        for number, caller in enumerate(self._joint.callers.classes):
            if caller.workloads:
                test = Test(SourceIdentity(), Exact(caller.new or ""))
                yield from self._named(_shared(list(caller.workloads)), 1 << number, test, -1)

    def _lists(self) -> Iterator[Named]:
        """Callers that nothing tells apart, each of which has a name, by their names."""
        exact = {one.value for one in self._joint.callers.new.matchers if isinstance(one, Exact)}
        for value, classes in enumerate(self._joint.environment.local):
            found = [one for number, one in enumerate(self._joint.callers.classes) if classes >> number & 1]
            uris = [one.new for one in found if one.new in exact and one.new == one.old]
            nodes = [self._identities[1].get(uri) or self._identities[0].get(uri) for uri in uris if uri]
            if len(found) > 1 and len(uris) == len(found) and all(nodes):
                text = ", ".join(sorted(_shared(one) for one in nodes if one))
                tests = tuple(Test(SourceIdentity(), Exact(uri)) for uri in uris if uri)
                yield Named(text, 1 << value, disjunction(tests), 0 if len(found) <= _FEW else 3)

    def _of_side(self, side: int) -> Iterator[Named]:
        callers = (self._joint.callers.old, self._joint.callers.new)[side]
        policy = (self._joint.old_policy, self._joint.new_policy)[side]
        for text, mask, predicate, rank in self._fixed(callers, is_gateway=policy.is_gateway):
            yield from self._named(text, mask, predicate, rank)
        is_by_identity = self._has_workloads and self._meshes[side].is_lifted
        for rule in policy.rules if not is_by_identity else ():
            yield from self._of_rule(rule, callers, is_gateway=policy.is_gateway)
        for matcher in callers.matchers:
            yield from self._of_matcher(matcher, callers.mask(matcher), side)

    def _fixed(self, callers: SideCallers, *, is_gateway: bool) -> Iterator[tuple[str, int, Predicate, int]]:
        yield "anyone", callers.every, Always(), 0
        yield "authenticated", callers.every & ~callers.anonymous, _HAS_IDENTITY, 1
        yield "internet" if is_gateway else "plaintext", callers.anonymous, negation(_HAS_IDENTITY), 0
        both = self._joint.callers.old.untrusted & self._joint.callers.new.untrusted
        domains = tuple(dict.fromkeys(domain for mesh in self._meshes for domain in Trust.of(mesh).domains))
        known = disjunction(tuple(Test(SourceIdentity(), Prefix(f"{_SCHEME}{domain}/")) for domain in domains))
        yield STRANGERS, both, negation(disjunction((negation(_HAS_IDENTITY), known))), 3
        for domain in domains:
            prefix = f"{_SCHEME}{domain}/"
            mask = sum(
                1 << number
                for number, one in enumerate(self._joint.callers.classes)
                if one.new is not None and one.new.startswith(prefix)
            )
            yield f'identity "{prefix}*"', mask, Test(SourceIdentity(), Prefix(prefix)), 3

    def _of_rule(self, rule: AuthzRule, callers: SideCallers, *, is_gateway: bool) -> Iterator[Named]:
        predicate = rule.sources.matches
        if rule.sources.has_internet and is_gateway:
            predicate = disjunction((predicate, negation(_HAS_IDENTITY)))
        mask = callers.of_sources(rule.sources, is_gateway=is_gateway)
        yield from self._named(self._text(rule.sources), mask, predicate, 2)

    def _text(self, sources: SourceSet) -> str:
        """The set as it was written; of manifests, which write identities, by the names that these have."""
        match sources.matches:
            case Or(operands) if self._meshes[0].is_lifted or self._meshes[1].is_lifted:
                uris = [
                    one.matcher.value for one in operands if isinstance(one, Test) and isinstance(one.matcher, Exact)
                ]
                nodes = [self._identities[1].get(uri) or self._identities[0].get(uri) for uri in uris]
                if len(uris) == len(operands) and all(nodes):
                    return ", ".join(sorted(_shared(found) for found in nodes if found))
                return sources.text
            case _:
                return sources.text

    def _of_matcher(self, matcher: Matcher, mask: int, side: int) -> Iterator[Named]:
        test = Test(SourceIdentity(), matcher)
        match matcher:
            case Exact(uri):
                nodes = self._identities[side].get(uri)
                if nodes and self._has_workloads:
                    return  # they have names of their own
                if nodes and (side or uri not in self._identities[1]):
                    yield from self._named(_shared(nodes), mask, test, 0)
                yield from self._named(f'identity "{uri}"', mask, test, 5)
            case Prefix(prefix):
                own = f"{_SCHEME}{self._meshes[side].trust_domain}/ns/"
                name = prefix.removeprefix(own).removesuffix("/")
                is_namespace = prefix == f"{own}{name}/" and "/" not in name and name
                text = f"namespace {name}" if is_namespace else f'identity "{prefix}*"'
                yield from self._named(text, mask, test, 2)
            case Present():
                return
            case _:
                yield from self._named(f"identities like {matcher}", mask, test, 4)

    def _named(self, text: str, mask: int, predicate: Predicate, rank: int) -> Iterator[Named]:
        """The set as values of the caller, if it is made of whole ones."""
        values = 0
        for value, classes in enumerate(self._joint.environment.local):
            common = classes & mask
            if common == classes:
                values |= 1 << value
            elif common:
                return
        yield Named(text, values, predicate, rank)


def _identities(mesh: Mesh) -> dict[str, list[NodeName]]:
    found: dict[str, list[NodeName]] = {}
    callers: tuple[Service | Gateway, ...] = (*mesh.services, *mesh.gateways)
    for node in callers:
        found.setdefault(canonical(mesh, node.identity), []).append(node.name)
    return found


def _shared(nodes: list[NodeName]) -> str:
    """The name of a caller, and of those that cannot be told from it."""
    first, *others = nodes
    return f"{first} (or {', '.join(others)})" if others else str(first)


def _bare(text: str) -> str:
    """`{ a, b }` without its braces, which a list of callers needs no more."""
    inner = text[2:-2]
    is_braced = text.startswith("{ ") and text.endswith(" }") and "{" not in inner and " except " not in inner
    return inner if is_braced else text
