"""Names in certificates as the identities of the IR, and whose certificates those are.

App Mesh compares subject alternative names as text, whether URIs or DNS names; the IR knows SPIFFE IDs alone. A DNS
name stands as one below `/dns/` of the mesh's own trust domain (ADR 0301), where no issuer of SPIFFE IDs puts any.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.names import Origin, SpiffeId
from meshproof.compiler.ir.predicate import Opaque, Predicate, SourceIdentity, Test
from meshproof.targets.appmesh.lift.found import Resources
from meshproof.targets.appmesh.settled import is_settled

_DNS_NAME = re.compile(r"[A-Za-z0-9._-]{1,253}")
_NOT_OF_A_DOMAIN = re.compile(r"[^a-z0-9._-]")


def trust_domain_of(resources: Resources, mesh: str) -> tuple[str, tuple[str, ...]]:
    """The trust domain that most names are of, and all others; made of the mesh's name where there are none."""
    domains = Counter(found.trust_domain for found in map(SpiffeId.parse, _names(resources)) if found is not None)
    ranked = sorted(domains, key=lambda one: (-domains[one], one))
    if not ranked:
        return (_NOT_OF_A_DOMAIN.sub("-", mesh.lower()) or "mesh")[:255], ()
    return ranked[0], tuple(sorted(ranked[1:]))


def name_test(name: str, trust_domain: str, origin: Origin) -> Predicate:
    """The callers whose certificate holds the name. One that is not settled may be anybody's."""
    identity = identity_of(name, trust_domain)
    if identity is None:
        return Opaque("subjectAlternativeNames", origin)
    return Test(SourceIdentity(), Exact(identity.uri))


def identity_of(name: str, trust_domain: str) -> SpiffeId | None:
    """The identity that a name in a certificate is."""
    if not is_settled(name):
        return None
    found = SpiffeId.parse(name)
    if found is not None:
        return found
    return SpiffeId(trust_domain, f"/dns/{name}") if _DNS_NAME.fullmatch(name) and name.strip(".") else None


def shown_by(spec: Any) -> SpiffeId | None:  # noqa: ANN401  of a node or a gateway: generated classes without a base
    """The identity in the certificate that a proxy shows to others: where SDS hands it out, it is asked for by name.

    What it shows as a server counts where it shows none as a client: SPIRE has one certificate for both.
    """
    policy = None if spec.backend_defaults is None else spec.backend_defaults.client_policy
    tls = None if policy is None else policy.tls
    certificates = [None if tls is None else tls.certificate]
    certificates += [one.tls.certificate for one in spec.listeners or () if one.tls is not None]
    for certificate in certificates:
        if certificate is not None and certificate.sds is not None:
            found = SpiffeId.parse(certificate.sds.secret_name)
            if found is not None:
                return found
    return None


def _names(resources: Resources) -> Iterator[str]:
    every: Iterable[Any] = (*resources.nodes, *resources.gateways)
    for found in every:
        spec = found.value.spec
        own = shown_by(spec)
        if own is not None:
            yield own.uri
        for listener in spec.listeners or ():
            names = None if listener.tls is None or listener.tls.validation is None else listener.tls.validation
            yield from names_in(names)


def names_of(every: Iterable[Any]) -> Iterator[str]:
    """All names that listeners of nodes and gateways ask for."""
    for found in every:
        for listener in found.value.spec.listeners or ():
            validation = None if listener.tls is None else listener.tls.validation
            yield from names_in(validation)


def names_in(validation: Any) -> tuple[str, ...]:  # noqa: ANN401  of a node or a gateway
    """The names of which a certificate must hold one; none if any certificate of the authority is taken."""
    if validation is None or validation.subject_alternative_names is None:
        return ()
    return tuple(validation.subject_alternative_names.match.exact)
