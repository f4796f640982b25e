"""Declarations as items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from meshproof.dsl.ast.declarations import (
    Authorizer,
    Endpoint,
    External,
    Gateway,
    Issuer,
    Label,
    Mesh,
    Namespace,
    Port,
    Service,
    Value,
    ValueOverride,
    Zone,
    ZoneParameter,
)
from meshproof.dsl.ast.node import Flag, Node
from meshproof.dsl.ast.reasons import MtlsDefault, Observe, Reasons
from meshproof.dsl.ast.values import Date, Duration, Name, Number, Scalar, Text
from meshproof.dsl.format.item import Block, Item, Region, fixed
from meshproof.dsl.format.words import Words, comma_separated, name, place_of, port, regions_of, scalar

ENTRY = "entry"


class DeclarationItems:
    """Makes items of declarations."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def mesh(self, node: Mesh) -> Item:
        """`mesh NAME { … }`."""
        entries = [
            *one("language", node.language),
            *one("trust-domain", node.trust_domain),
            *many("aliases", node.aliases),
            *many("trusts", node.trusts),
            *one("namespace", node.namespace),
            *mtls(node.mtls),
            *(() if node.egress is None else [entry(node.egress, "egress", node.egress.egress.value)]),
            *many("environments", node.environments),
        ]
        return self._declared("mesh", node, node.name, entries)

    def namespace(self, node: Namespace) -> Item:
        """`namespace N { … }`."""
        entries = [
            *one("owner", node.owner),
            *mtls(node.mtls),
            *flag("closed", node.closed),
            *many("files", node.files),
            *observe(node.observe),
            *many("env", node.env),
        ]
        return self._declared("namespace", node, node.name, entries)

    def service(self, node: Service) -> Item:
        """`service NAME { … }`."""
        entries = [
            *one("namespace", node.namespace),
            *one("account", node.account),
            *one("name", node.platform_name),
            *one("identity", node.identity),
            *ports(node.ports),
            *many("versions", node.versions),
            *labels(node.labels),
            *many("tags", node.tags),
            *many("accepts", node.accepts),
            *listed("calls", node.calls, map(endpoint, node.calls)),
            *observe(node.observe),
            *many("env", node.env),
        ]
        return self._declared("service", node, node.name, entries)

    def gateway(self, node: Gateway) -> Item:
        """`gateway NAME { … }`."""
        entries = [
            *one("namespace", node.namespace),
            *one("account", node.account),
            *one("identity", node.identity),
            *many("hosts", node.hosts),
            *ports(node.ports),
            *one("certificate", node.certificate),
            *one("client-ca", node.client_ca),
            *labels(node.labels),
            *one("trusted-proxies", node.trusted_proxies),
            *many("accepts", node.accepts),
            *many("env", node.env),
        ]
        return self._declared("gateway", node, node.name, entries)

    def external(self, node: External) -> Item:
        """`external NAME { … }`."""
        entries = [
            *many("hosts", node.hosts),
            *ports(node.ports),
            *one("via", node.via),
            *many("env", node.env),
        ]
        return self._declared("external", node, node.name, entries)

    def issuer(self, node: Issuer) -> Item:
        """`issuer NAME { … }`."""
        place = node.location
        entries = [
            *one("url", node.url),
            *one("jwks", node.jwks),
            *many("audiences", node.audiences),
            *(() if place is None else [entry(place, "from", f"{place.place.value} {scalar(place.name)}")]),
            *flag("strip", node.strip),
            *many("env", node.env),
        ]
        return self._declared("issuer", node, node.name, entries)

    def authorizer(self, node: Authorizer) -> Item:
        """`authorizer NAME { … }`."""
        protocol = node.protocol
        entries = [
            *one("address", node.address),
            *(() if protocol is None else [entry(protocol, "protocol", protocol.protocol.value)]),
            *one("timeout", node.timeout),
            *many("env", node.env),
        ]
        return self._declared("authorizer", node, node.name, entries)

    def zone(self, node: Zone) -> Item:
        """`zone NAME = SET [env …]`."""
        env = ["env", *comma_separated(map(name, node.env))] if node.env else []
        return Item(
            place_of(node),
            lambda: (f"zone {name(node.name)}", " ".join(["=", self._words.set(node.members), *env])),
            kind="zone",
            aligned=1,
            regions=regions_of(node.members),
        )

    def zone_parameter(self, node: ZoneParameter) -> Item:
        """`zone NAME "what it is"`."""
        cells = f"zone {name(node.name)}", scalar(node.description)
        return Item(place_of(node), lambda: cells, kind="zone", aligned=1)

    def value(self, node: Value) -> Item:
        """`value NAME = LITERAL, env E LITERAL`."""
        literals = comma_separated([f"= {scalar(node.default)}", *map(_override, node.overrides)])
        return Item(place_of(node), lambda: (f"value {name(node.name)}", *literals), kind="value", aligned=1)

    def _declared(self, word: str, node: Node, named: Name, entries: Iterable[Item]) -> Item:
        head = f"{word} {name(named)}"
        block = Block(tuple(entries), (named.span.end, node.span.end))
        return Item(place_of(node), lambda: (head,), kind=word, aligned=1, block=block)


def _override(node: ValueOverride) -> str:
    return f"env {', '.join(map(name, node.env))} {scalar(node.value)}"


def entry(node: Node, word: str, *rest: str) -> Item:
    """A word and what it says."""
    return Item(place_of(node), lambda: (word, *rest), kind=ENTRY, aligned=1)


def one(word: str, node: Scalar | Name | Number | Text | Date | Duration | None) -> Iterator[Item]:
    """An entry with one value, if it was written."""
    if node is not None:
        yield entry(node, word, scalar(node))


def many(word: str, nodes: Sequence[Scalar | Name]) -> Iterator[Item]:
    """An entry with a list, if it was written."""
    yield from listed(word, nodes, map(scalar, nodes))


def listed(word: str, nodes: Sequence[Node], texts: Iterable[str]) -> Iterator[Item]:
    """An entry with a list of texts that stand for nodes."""
    if nodes:
        cells = (word, *comma_separated(texts))
        yield Item(place_of(nodes[0], nodes[-1]), lambda: cells, kind=ENTRY, aligned=1)


def flag(word: str, node: Flag | None) -> Iterator[Item]:
    """A word that says something by standing there."""
    if node is not None:
        yield Item(place_of(node), lambda: (word,), kind=ENTRY, aligned=1)


def ports(nodes: Iterable[Port]) -> Iterator[Item]:
    """The ports of a declaration."""
    for node in nodes:
        parts = [] if node.name is None else [name(node.name)]
        parts += [node.protocol.value, scalar(node.number)]
        parts += [] if node.workload is None else ["->", scalar(node.workload)]
        parts += ["originate"] if node.originate else []
        parts += ["passthrough"] if node.passthrough else []
        yield entry(node, "port", " ".join(parts))


def labels(nodes: Sequence[Label]) -> Iterator[Item]:
    """`labels { key: "value" }`."""
    if nodes:
        texts = comma_separated(f"{name(node.key)}: {scalar(node.value)}" for node in nodes)
        cells = ("labels", f"{{ {' '.join(texts)} }}")
        yield Item(place_of(nodes[0], nodes[-1]), lambda: cells, kind=ENTRY, aligned=1)


def endpoint(node: Endpoint) -> str:
    """`D:PORT`."""
    return name(node.name) + port(node.port)


def reasons(node: Reasons) -> list[Item]:
    """`because`, `owner` and `until`, on one line if that is long enough."""
    entries = (*one("because", node.because), *one("owner", node.owner), *one("until", node.until))
    return [Item(item.place, fixed(" ".join(item.cells())), joins=True) for item in entries]


def reasons_block(node: Reasons, region: Region) -> Block | None:
    """The same in braces, if any was written."""
    entries = tuple(reasons(node))
    return Block(entries, region) if entries else None


def mtls(node: MtlsDefault | None) -> Iterator[Item]:
    """`mtls MODE [{ … }]`."""
    if node is not None:
        start, end = place_of(node)
        block = reasons_block(node.reasons, (start + len(f"mtls {node.mode.value}"), end))
        yield Item(place_of(node), lambda: ("mtls", node.mode.value), kind=ENTRY, aligned=1, block=block)


def observe(node: Observe | None) -> Iterator[Item]:
    """`observe [{ … }]`."""
    if node is not None:
        start, end = place_of(node)
        block = reasons_block(node.reasons, (start + len("observe"), end))
        yield Item(place_of(node), lambda: ("observe",), kind=ENTRY, aligned=1, block=block)
