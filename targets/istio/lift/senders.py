"""Who sends: Istio's routes differ by the sender's namespace, labels and Sidecar, and a request shows its identity.

Senders that no object tells apart are one class. What a route does for each class is put together as conditions on the
identity of the peer; where an identity does not tell the class, the condition is not modelled.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from meshproof.compiler.ir.entities import Service
from meshproof.compiler.ir.matchers import Exact, Present, Regex
from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.predicate import (
    Always,
    Never,
    Opaque,
    Predicate,
    SourceIdentity,
    Test,
    conjunction,
    disjunction,
    negation,
)
from meshproof.compiler.patterns.istio_forms import quote
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.sidecars import Sidecars, View
from meshproof.targets.istio.lift.workloads import Workload

Labels = tuple[tuple[str, str], ...]
ResultT = TypeVar("ResultT", bound=Hashable)

ELSEWHERE = ""
"""The namespace of senders of which no file knows the namespace."""

UNSEEN = "the sender, who shows no identity"
"""The condition that stands for which class a sender without identity is of."""

_SCHEME = "spiffe://"
_NAMED = re.compile(r"spiffe://[^/]+/ns/([^/]+)/sa/[^/]+")

_KNOWN = Test(SourceIdentity(), Present())


@dataclass(frozen=True, slots=True)
class Sender:
    """A class of senders. `labels` are those of the labels that objects ask senders for; None: they are not known."""

    view: View
    labels: Labels | None
    workload: Workload | None = field(default=None, compare=False)

    @property
    def namespace(self) -> str:
        """The namespace."""
        return self.view.namespace

    def has_labels(self, wanted: Labels) -> bool | None:
        """Whether its pods have the labels, None where nobody knows."""
        return None if self.labels is None else set(wanted) <= set(self.labels)


@dataclass(frozen=True, slots=True)
class _Member:
    """A class of senders, told by what identities say: a namespace, or the one identity that names none."""

    place: str
    uri: str | None  # None: whatever identities of the place no file has
    sender: Sender


@dataclass(frozen=True, slots=True)
class Group(Generic[ResultT]):
    """Senders for whom a route does the same, told by a condition on the peer."""

    condition: Predicate
    result: ResultT


class Senders:
    """The classes of senders of one mesh. `label_keys` are the labels that some object asks senders for."""

    def __init__(
        self, context: LiftContext, sidecars: Sidecars, label_keys: frozenset[str], spoken_of: Iterable[str]
    ) -> None:
        self._domain = context.settings.trust_domain
        self._members: list[_Member] = []
        by_namespace: dict[str, list[Workload]] = {name: [] for name in sorted(set(spoken_of))}
        for workload in context.workloads:
            by_namespace.setdefault(workload.namespace, []).append(workload)
        for namespace, workloads in sorted(by_namespace.items()):
            is_by_workload = bool(label_keys) or namespace in sidecars.selecting_namespaces
            for workload in workloads:
                labels = tuple(pair for pair in workload.labels if pair[0] in label_keys)
                sender = Sender(sidecars.view(namespace, workload), labels, workload if label_keys else None)
                uri = self._uri(workload)
                named = _NAMED.fullmatch(uri)
                place = named[1] if named is not None and named[1] in by_namespace else uri
                if not is_by_workload and place == namespace:
                    continue  # the namespace says all that there is to say
                self._members.append(_Member(place, uri, sender))
            anyone = Sender(sidecars.view(namespace, None), None if label_keys else ())
            self._members.append(_Member(namespace, None, anyone))
        elsewhere = Sender(sidecars.view(ELSEWHERE, None), None if label_keys else ())
        self._members.append(_Member(ELSEWHERE, None, elsewhere))
        self._senders = tuple(dict.fromkeys(member.sender for member in self._members))
        places = {sender: index for index, sender in enumerate(self._senders)}
        self._strangers: dict[str, Predicate] = {}
        self._sender_of = [places[member.sender] for member in self._members]
        self._by_place: dict[str, list[int]] = {}
        for index, member in enumerate(self._members):
            self._by_place.setdefault(member.place, []).append(index)

    @property
    def all(self) -> tuple[Sender, ...]:
        """The classes."""
        return self._senders

    def groups(self, result_for: Callable[[Sender], ResultT], origin: Origin) -> tuple[Group[ResultT], ...]:
        """The results, each once, with the condition that tells to whom it applies; one result has no condition."""
        distinct: dict[ResultT, int] = {}
        by_object: dict[int, tuple[int, ResultT]] = {}  # hashing a route takes long, and most senders share one object
        cases: list[int] = []
        for sender in self._senders:
            result = result_for(sender)
            if id(result) not in by_object:
                by_object[id(result)] = (distinct.setdefault(result, len(distinct)), result)
            cases.append(by_object[id(result)][0])
        if len(distinct) == 1:
            return (Group(Always(), next(iter(distinct))),)
        of_members = [cases[index] for index in self._sender_of]
        return tuple(Group(self._condition(case, of_members, origin), one) for one, case in distinct.items())

    def _condition(self, case: int, of_members: list[int], origin: Origin) -> Predicate:
        """The senders of one case of several."""
        parts = [
            self._within(place, [(self._members[index], of_members[index] == case) for index in indexes], origin)
            for place, indexes in self._by_place.items()
        ]
        # Whoever shows no identity may be anyone: which of the cases is for them is not known, but one of them is.
        earlier = tuple(Opaque(f"{UNSEEN} (case {number + 1})", origin) for number in range(case))
        is_last = case == max(of_members)
        own = Always() if is_last else Opaque(f"{UNSEEN} (case {case + 1})", origin)
        unseen = conjunction((negation(_KNOWN), *map(negation, earlier), own))
        return disjunction((*parts, unseen))

    def _within(self, place: str, members: list[tuple[_Member, bool]], origin: Origin) -> Predicate:
        """The condition inside of one place."""
        test = self._test(place)
        if not any(is_of_case for _, is_of_case in members):
            return Never()
        found: dict[str | None, set[bool]] = {}
        for member, is_of_case in members:
            found.setdefault(member.uri, set()).add(is_of_case)
        if all(cases == {True} for cases in found.values()):
            return test
        others = found.pop(None, set())
        parts: list[Predicate] = []
        for uri, cases in found.items():
            of_uri = Test(SourceIdentity(), Exact(uri or ""))
            if cases == {True}:
                parts.append(of_uri)
            elif True in cases:
                parts.append(conjunction((of_uri, Opaque(f"which workload with the identity {uri} sends", origin))))
        if others == {True}:
            parts.append(conjunction((test, self._none_known_in(place))))
        return disjunction(tuple(parts))

    def _none_known_in(self, place: str) -> Predicate:
        """That the sender has none of the identities that files have in the place."""
        found = self._strangers.get(place)
        if found is None:
            uris = dict.fromkeys(self._members[index].uri for index in self._by_place[place])
            known = tuple(Test(SourceIdentity(), Exact(uri)) for uri in uris if uri is not None)
            found = self._strangers[place] = negation(disjunction(known)) if known else Always()
        return found

    def _test(self, place: str) -> Predicate:
        """That the sender is of the place; of none that a file knows, where it is `ELSEWHERE`."""
        if place != ELSEWHERE:
            return _place_test(place)
        known = tuple(_place_test(one) for one in self._by_place if one != ELSEWHERE)
        return conjunction((_KNOWN, negation(disjunction(known)) if known else Always()))

    def _uri(self, workload: Workload) -> str:
        """The identity: what a policy declares for a service stands, whatever its account is.

        Gateways are told by their accounts: nothing says what their proxies know, so they tell nothing of a service
        with the same identity.
        """
        if isinstance(workload.node, Service):
            return workload.node.identity.uri
        return f"spiffe://{self._domain}/ns/{workload.namespace}/sa/{workload.account}"


def _place_test(place: str) -> Predicate:
    if place.startswith(_SCHEME):
        return Test(SourceIdentity(), Exact(place))
    return Test(SourceIdentity(), Regex(f"spiffe://[^/]+/ns/{quote(place)}/sa/[^/]+"))
