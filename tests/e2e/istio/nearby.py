"""What policies speak of, as values that requests can have: each pattern with its stars filled or left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from random import Random
from typing import Any

from meshproof.compiler.ir.names import SpiffeId

Doc = dict[str, Any]
_SUBJECTS = ("requestPrincipals", "request.auth.principal")
_KEYS = {
    "source.principal": "principals",
    "source.namespace": "namespaces",
    "source.serviceAccount": "serviceAccounts",
    "source.trustDomain": "trustDomains",
    "source.ip": "ipBlocks",
    "remote.ip": "remoteIpBlocks",
    "request.headers[:authority]": "hosts",
    "request.headers[host]": "hosts",
    "request.headers[:method]": "methods",
    "destination.port": "ports",
}


@dataclass(slots=True)
class Vocabulary:
    """Values by what they are for: fields of rules, or keys of conditions. `share` is how often one is taken."""

    values: dict[str, list[str]] = field(default_factory=dict)
    share: float = 0.5

    def of(self, *names: str) -> list[str]:
        """All values for these."""
        return [value for name in names for value in self.values.get(name, ())]

    def below(self, start: str) -> list[tuple[str, str]]:
        """The values of keys like `START[NAME]`, with the name."""
        keys = [key for key in self.values if key.startswith(f"{start}[")]
        return [(key[len(start) + 1 : -1], value) for key in keys for value in self.values[key]]

    @property
    def identities(self) -> list[str]:
        """SPIFFE IDs that rules speak of."""
        found = [f"spiffe://{value}" for value in self.of("principals")]
        found += [f"spiffe://td1/ns/{value}/sa/a" for value in self.of("namespaces")]
        found += [f"spiffe://{value}/ns/n1/sa/a" for value in self.of("trustDomains")]
        for value in self.of("serviceAccounts"):
            namespace, _, account = value.rpartition("/")
            found += [f"spiffe://td1/ns/{namespace or 'n1'}/sa/{account}"]
        return [one for one in found if SpiffeId.parse(one) is not None]

    @property
    def addresses(self) -> list[str]:
        """Addresses inside of blocks, and just outside."""
        blocks = [ip_network(value, strict=False) for value in self.of("ipBlocks", "remoteIpBlocks")]
        first = [str(block.network_address) for block in blocks]
        return first * 3 + [str(block.broadcast_address + 1) for block in blocks if block.prefixlen]

    @property
    def subjects(self) -> list[tuple[str, str]]:
        """Issuers and subjects."""
        parts = (value.rpartition("/") for value in self.of(*_SUBJECTS))
        return [(issuer, subject) for issuer, _, subject in parts]


def vocabulary(specs: Iterable[Doc]) -> Vocabulary:
    """Everything that policies speak of."""
    found = Vocabulary()
    for name, pattern in (pair for spec in specs for pair in _said(spec)):
        values = found.values.setdefault(_KEYS.get(name, name), [])
        values += _filled(name, pattern)
    return found


def aimed(draw: Random, specs: Sequence[Doc]) -> Vocabulary:
    """What one rule asks for, so that it often has it. Without any rule, what all speak of."""
    rules = [rule for spec in specs for rule in spec.get("rules") or () if rule]
    if not rules:
        return vocabulary(specs)
    rule = draw.choice(rules)
    chosen = {part: [draw.choice(rule[part])] for part in ("from", "to") if rule.get(part)}
    whens = [{"key": one["key"], "values": one.get("values", ())} for one in rule.get("when") or ()]
    blocks = {part: [_positives(one) for one in items] for part, items in chosen.items()}
    found = vocabulary([{"rules": [{**blocks, "when": whens}]}])
    found.share = draw.choice((0.6, 0.97))
    return found


def _positives(item: Doc) -> Doc:
    """The source or operation without what must not be."""
    return {
        part: {name: values for name, values in fields.items() if not name.startswith("not")}
        for part, fields in item.items()
    }


def _said(spec: Doc) -> Iterator[tuple[str, str]]:
    for rule in spec.get("rules") or ():
        blocks = [one["source"] for one in (rule or {}).get("from") or ()]
        blocks += [one["operation"] for one in (rule or {}).get("to") or ()]
        for name, values in (pair for block in blocks for pair in block.items()):
            yield from ((_positive(name), value) for value in values)
        for condition in (rule or {}).get("when") or ():
            for value in (*condition.get("values", ()), *condition.get("notValues", ())):
                yield condition["key"], value


def _positive(name: str) -> str:
    rest = name.removeprefix("not")
    return rest[0].lower() + rest[1:]


def _filled(name: str, pattern: str) -> list[str]:
    if name in {"ipBlocks", "remoteIpBlocks", "source.ip", "remote.ip", "destination.ip"}:
        return [pattern]
    if "{" in pattern:
        return [
            pattern.replace("{**}", deep).replace("{*}", one) for deep, one in (("", "a"), ("a/b", "x.y"), ("/", ""))
        ]
    return list(dict.fromkeys((pattern, pattern.replace("*", ""), pattern.replace("*", "x"))))
