"""Callers of which no file says under which account they run: what is proved of them is not proved.

Istio's manifests often come without the Deployments. A workload that a Service or a policy speaks of then has the
account that pods have by default, and may have any other one of its namespace.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from meshproof.compiler.ir.assertions import Statement
from meshproof.compiler.ir.entities import Gateway, Service, SourceSet
from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import SpiffeId
from meshproof.compiler.ir.predicate import Predicate, SourceIdentity
from meshproof.compiler.resolve.callers import takes
from meshproof.compiler.smt.atoms import tests_of
from meshproof.compiler.verify.reads import predicates_in, sources_of


def doubtful_callers(mesh: Mesh, statement: Statement) -> tuple[str, ...]:
    """The callers that a claim names, of which no file tells the account, and whose account matters to the claim.

    It does not where the set has every account of the namespace: it has the right one then.
    """
    nodes: tuple[Service | Gateway, ...] = (*mesh.services, *mesh.gateways)
    unsure = {node.name: node for node in nodes if not node.is_account_known}
    if not unsure:
        return ()
    accounts = tuple(_accounts(predicates_in(mesh)))
    found: dict[str, None] = {}
    for sources in sources_of(statement):
        for name in sorted(unsure.keys() & set(sources.members)):
            if not _has_every_account(sources, unsure[name], mesh, accounts):
                found[str(name)] = None
    return tuple(found)


def _has_every_account(sources: SourceSet, node: Service | Gateway, mesh: Mesh, accounts: Iterable[str]) -> bool:
    """Whether the node is in the set under any account: an invented one, and those that something names."""
    own = f"spiffe://{mesh.trust_domain}/ns/{node.namespace}/sa/"
    invented = SpiffeId.of_account(mesh.trust_domain, node.namespace, "an-account-that-nobody-names").uri
    return all(takes(sources.matches, uri) for uri in (invented, *accounts) if uri.startswith(own))


def _accounts(predicates: Iterable[Predicate]) -> Iterator[str]:
    for test in tests_of(predicates):
        if isinstance(test.attribute, SourceIdentity) and isinstance(test.matcher, Exact):
            yield test.matcher.value
