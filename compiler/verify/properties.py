"""Properties as regions: each function gives the requests that break the property, none exactly if it holds."""

from __future__ import annotations

from meshproof.compiler.ir.entities import SourceSet
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import Predicate, conjunction
from meshproof.compiler.smt.policy import PortPolicy
from meshproof.compiler.smt.region import (
    Admitted,
    Allowed,
    Answered,
    ComingFrom,
    Everything,
    Identified,
    Outside,
    Region,
    Satisfying,
    SentBy,
    both,
    either,
)

ALLOWED = Allowed()


def implies(one: Region, other: Region) -> Region:
    """What is in one and not in the other: nothing, if one implies the other."""
    return both(one, Outside(other))


def equivalent(one: Region, other: Region) -> Region:
    """What is in just one of the two: nothing, if they are the same."""
    return either(implies(one, other), implies(other, one))


def disjoint(one: Region, other: Region) -> Region:
    """What is in both: nothing, if they do not meet."""
    return both(one, other)


def always_allows(region: Region) -> Region:
    """What of the region is refused: nothing, if all of it is allowed."""
    return both(region, Outside(ALLOWED))


def reachable(region: Region) -> Region:
    """What of the region is allowed: something, if it can be reached."""
    return both(region, ALLOWED)


def only_reaches(sources: SourceSet, narrowing: Predicate) -> Region:
    """Allowed requests of callers that the set does not name, or of a declared one that shares an identity with it."""
    return both(ALLOWED, Satisfying(narrowing), strangers(sources))


def no_request(policy: PortPolicy, sources: SourceSet, narrowing: Predicate) -> Region:
    """Allowed requests of the set."""
    return both(ALLOWED, Satisfying(narrowing), senders(policy, sources))


def every_satisfies(policy: PortPolicy, sources: SourceSet | None, narrowing: Predicate, required: Predicate) -> Region:
    """Allowed requests that do not satisfy what is required."""
    return both(ALLOWED, Satisfying(narrowing), senders(policy, sources), Outside(Satisfying(required)))


def every_is_mtls(policy: PortPolicy, sources: SourceSet | None) -> Region:
    """Requests that pass transport without mTLS."""
    return both(Admitted(), senders(policy, sources), unverified(policy))


def unverified(policy: PortPolicy) -> Region:
    """Requests whose sender has shown no certificate: where it is told otherwise, that may be any."""
    is_told = policy.mtls is not None and policy.mtls.is_told
    return Everything() if is_told else Outside(Identified())


def can_call(policy: PortPolicy, sources: SourceSet, operation: Predicate, givens: Predicate) -> Region:
    """Requests with the operation and what is given that are refused although whoever is asked says yes."""
    premise = called(policy, sources, operation, givens)
    answers = (Answered(authorizer) for authorizer in policy.authorizers)
    return both(premise, *answers, Outside(ALLOWED))


def called(policy: PortPolicy, sources: SourceSet, operation: Predicate, givens: Predicate) -> Region:
    """Requests of the set with the operation and what is given."""
    return both(Satisfying(conjunction((operation, givens))), senders(policy, sources))


def strangers(sources: SourceSet) -> Region:
    """Requests of whom the set does not name."""
    outside = Outside(ComingFrom(sources))
    return either(outside, SentBy(sources.shared)) if sources.shared else outside


def senders(policy: PortPolicy, sources: SourceSet | None) -> Region:
    """Requests that may come from the set (None: from anyone).

    Where mTLS is disabled nobody has an identity, so that any request may be one of the set. Members count by name,
    even where the set as written takes their identity out.
    """
    if sources is None or policy.mode is MtlsMode.DISABLED:
        return Everything()
    inside = ComingFrom(sources)
    return either(inside, SentBy(sources.members)) if sources.members else inside


def sent_by(policy: PortPolicy, node: NodeName) -> Region:
    """Requests that a declared node may send: as anyone, where mTLS is disabled and nobody has an identity."""
    return Everything() if policy.mode is MtlsMode.DISABLED else SentBy((node,))
