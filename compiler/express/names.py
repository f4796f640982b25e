"""Names for what foreign files call `NAMESPACE/NAME`: the name alone where that is enough."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from meshproof.compiler.ir.entities import External, Service
from meshproof.compiler.ir.names import AuthorizerName, IssuerName, NodeName, RuleId, written_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from meshproof.compiler.ir.entities import Gateway
    from meshproof.compiler.ir.mesh import Mesh

KeyT = TypeVar("KeyT")
_NO_NAME = re.compile(r"[^A-Za-z0-9-]+")
_IN_CLUSTER = re.compile(r"([a-z][a-z0-9-]*)\.([a-z][a-z0-9-]*)\.svc\..+")
_LONGEST = 63


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

    @property
    def taken(self) -> frozenset[str]:
        """The names of the space that zones share."""
        return frozenset((*self.nodes.values(), *self.issuers.values(), *self.authorizers.values()))


def names_of(mesh: Mesh) -> Names:
    """Names for all that a mesh declares: no two things have the same, whatever they are; rules have names apart.

    Issuers that are the same but for their name have one.
    """
    taken: set[str] = set()
    nodes = _chosen(((_of_node(node), node.name) for node in mesh.nodes), taken)
    first: dict[str, IssuerName] = {}
    for issuer in mesh.issuers:
        first.setdefault(issuer.url, issuer.name)
    issuers = _chosen(((_of_url(url), name) for url, name in first.items()), taken)
    for issuer in mesh.issuers:
        issuers[issuer.name] = issuers[first[issuer.url]]
    authorizers = _chosen(((one.name, one.name) for one in mesh.authorizers), taken)
    rules = _chosen(((_of_rule(rule.id), rule.id) for rule in mesh.rules), set())
    callers: dict[str, NodeName] = {}
    nodes_with_identity: tuple[Service | Gateway, ...] = (*mesh.services, *mesh.gateways)
    for node in nodes_with_identity:
        callers.setdefault(node.identity.uri, node.name)
    urls = {issuer.url: issuers[issuer.name] for issuer in mesh.issuers}
    return Names(nodes, issuers, authorizers, rules, callers, urls)


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """The name, with a number behind it if it is taken."""
    known = frozenset(taken)
    name, number = wanted, 2
    while name in known:
        name = f"{wanted}-{number}"
        number += 1
    return name


def plain_name(text: str) -> str:
    """The text as a name that needs no quotes."""
    name = _NO_NAME.sub("-", text).strip("-").lower()[:_LONGEST].rstrip("-")
    return name if name and name[0].isalpha() else f"x-{name}"[:_LONGEST].rstrip("-")


def _of_rule(rule: RuleId) -> str:
    """`NAMESPACE/NAME[INDEX]` as `NAMESPACE/NAME-INDEX`, counted from 1; the first rule of an object has its name.

    The form for connections alone says so.
    """
    base, _, index = written_name(rule).partition("[")
    number = index.rstrip("]")
    namespace, slash, own = base.rpartition("/")
    words = [own]
    words += [str(int(number) + 1)] if number.isdecimal() and int(number) else []
    words += ["tcp"] if "@tcp" in rule else []
    return f"{namespace}{slash}{plain_name('-'.join(words))}"


def _of_node(node: Service | Gateway | External) -> str:
    """The name; of a host inside of a cluster, whatever stands behind it, its namespace and first part."""
    found = _IN_CLUSTER.fullmatch(node.name)
    return node.name if found is None else f"{found[2]}/{found[1]}"


def _of_url(url: str) -> str:
    """The host of an issuer's URL, or all of what is no URL."""
    return url.partition("://")[2].partition("/")[0].partition(":")[0] or url


def _chosen(wanted: Iterable[tuple[str, KeyT]], taken: set[str]) -> dict[KeyT, str]:
    """The part after the slash where that is free, else with the namespace behind it, else with a number."""
    found: dict[KeyT, str] = {}
    for text, key in wanted:
        namespace, _, base = text.rpartition("/")
        candidates = (base, f"{base}-{namespace}" if namespace else base)
        name = next((one for one in candidates if one not in taken), None) or free_name(base, taken)
        taken.add(name)
        found[key] = name
    return found


def untaken_node(node: Service | Gateway | External, mesh: Mesh) -> str | None:
    """Why a node cannot be declared, None if it can."""
    if isinstance(node, Service):
        if node.identity.trust_domain in {mesh.trust_domain, *mesh.trusts}:
            return None
        return "no proxy of the mesh stands before it: it has no identity, and refuses nothing"
    if not node.ports:
        return "no file says on which ports it listens"
    if isinstance(node, External) and not node.hosts:
        return "no file says what its hosts are"
    return _held(node, mesh) if isinstance(node, External) else _doubled(node, mesh)


def _held(external: External, mesh: Mesh) -> str | None:
    """Why a host that no file shows is nothing outside: it is the name of a service that is declared."""
    for service in mesh.services:
        if any(host.startswith(f"{service.platform_name}.{service.namespace}.svc.") for host in external.hosts):
            return f"`{service.name}` has that name, and no file shows the Service that leads there"
    return None


def _doubled(gateway: Gateway, mesh: Mesh) -> str | None:
    """Why a gateway is no other than one before it: what is bound to pods with labels is for every namespace."""
    for other in mesh.gateways:
        if other is gateway:
            return None
        if set(other.labels) <= set(gateway.labels) or set(gateway.labels) <= set(other.labels):
            return f"its labels do not tell it from `{other.name}`, and servers of gateways know no namespaces"
    return None
