"""Names for what foreign files call `NAMESPACE/NAME`: the name alone where that is enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from meshproof.compiler.ir.entities import Gateway, Service
from meshproof.compiler.ir.names import AuthorizerName, IssuerName, NodeName, RuleId, written_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from meshproof.compiler.ir.mesh import Mesh

KeyT = TypeVar("KeyT")


@dataclass(frozen=True, slots=True)
class Names:
    """What each thing is called in the policy.

    `callers` tells by identity which node a rule names, `urls` by its URL what an issuer is called.
    """

    nodes: Mapping[NodeName, str]
    issuers: Mapping[IssuerName, str]
    authorizers: Mapping[AuthorizerName, str]
    rules: Mapping[RuleId, str]
    callers: Mapping[str, NodeName]
    urls: Mapping[str, str]


def names_of(mesh: Mesh) -> Names:
    """Names for all that a mesh declares: no two things have the same, whatever they are; rules have names apart."""
    taken: set[str] = set()
    nodes = _chosen(((node.name, node.name) for node in mesh.nodes), taken)
    issuers = _chosen(((_of_url(issuer.url), issuer.name) for issuer in mesh.issuers), taken)
    authorizers = _chosen(((one.name, one.name) for one in mesh.authorizers), taken)
    rules = _chosen(((_of_rule(rule.id), rule.id) for rule in mesh.rules), set())
    callers: dict[str, NodeName] = {}
    nodes_with_identity: tuple[Service | Gateway, ...] = (*mesh.services, *mesh.gateways)
    for node in nodes_with_identity:
        callers.setdefault(node.identity.uri, node.name)
    urls = {issuer.url: issuers[issuer.name] for issuer in mesh.issuers}
    return Names(nodes, issuers, authorizers, rules, callers, urls)


def _of_rule(rule: RuleId) -> str:
    """`NAMESPACE/NAME[INDEX]` as `NAMESPACE/NAME-INDEX`, counted from 1; the first rule of an object has its name."""
    base, _, index = written_name(rule).partition("[")
    number = index.rstrip("]")
    return f"{base}-{int(number) + 1}" if number.isdecimal() and int(number) else base


def _of_url(url: str) -> str:
    """The host of an issuer's URL, or all of what is no URL."""
    return url.partition("://")[2].partition("/")[0].partition(":")[0] or url


def _chosen(wanted: Iterable[tuple[str, KeyT]], taken: set[str]) -> dict[KeyT, str]:
    """The part after the slash where that is free, else with the namespace behind it, else with a number."""
    found: dict[KeyT, str] = {}
    for text, key in wanted:
        namespace, _, base = text.rpartition("/")
        candidates = (base, f"{base}-{namespace}" if namespace else base)
        name = next((one for one in candidates if one not in taken), None)
        number = 2
        while name is None:
            name = None if f"{base}-{number}" in taken else f"{base}-{number}"
            number += 1
        taken.add(name)
        found[key] = name
    return found
