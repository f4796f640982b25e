"""What the `match` items of a VirtualService ask of a request (pilot/pkg/networking/core/route)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from ipaddress import ip_network

from meshproof.compiler.ir.matchers import Cidr, Exact, Matcher, Prefix, Present, Regex, Suffix
from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.predicate import (
    Always,
    Attribute,
    Claim,
    DestinationIp,
    Method,
    Opaque,
    Path,
    Predicate,
    Query,
    RawAuthority,
    Sni,
    SourceIp,
    Test,
    conjunction,
    disjunction,
    negation,
)
from meshproof.compiler.patterns import pattern
from meshproof.compiler.patterns.pattern import lower_ascii
from meshproof.compiler.patterns.refusal import PatternRefused, PatternTooLarge
from meshproof.targets.common.tree import Entry, Leaf, MapNode, Placed
from meshproof.targets.istio.lift.header_lines import header_of, is_seen
from meshproof.targets.istio.lift.hosts import ANY, full_host, is_wild
from meshproof.targets.istio.lift.route_model import Match
from meshproof.targets.istio.lift.values import flag, mapping, number, origin_of, pairs, text, texts

_CLAIMS = "@request.auth.claims"
_PSEUDO = frozenset(("uri", "scheme", "method", "authority"))
_BRACKET = re.compile(r"\[([^\[\]]+)\]")
_WHOLE_HOST = 2


class Conditions:
    """Reads matches of one mesh. `has_joined_headers`: proxies compare lines of a header as one value."""

    def __init__(self, *, has_joined_headers: bool) -> None:
        self._has_joined_headers = has_joined_headers

    def http_match(self, one: MapNode, namespace: str) -> Match:
        """An item of `http[].match`."""
        ignore_case = flag(one.get("ignoreUriCase")) or False
        path = _string(one.get("uri"), ignore_case=ignore_case)
        asked: list[Predicate] = []
        if isinstance(path, Opaque):
            asked.append(path)
        elif path is not None:
            asked.append(Test(Path(), path))
        asked.extend(self._parts(one))
        port, gateways, labels, sender = _generated(one, namespace)
        return Match(
            predicate=conjunction(tuple(asked)),
            path=path if not isinstance(path, Opaque) else None,
            origin=origin_of(one),
            port=port,
            gateways=gateways,
            sender_labels=labels,
            sender_namespace=sender,
        )

    def _parts(self, one: MapNode) -> Iterator[Predicate]:
        if (scheme := one.get("scheme")) is not None:
            yield Opaque("match.scheme", origin_of(scheme))
        for name, attribute in (("method", Method()), ("authority", RawAuthority())):
            if (asked := one.get(name)) is not None:
                yield _test(attribute, _string(asked))
        for entry in mapping(one.get("headers")).entries:
            yield self._header(entry)
        for entry in mapping(one.get("queryParams")).entries:
            yield _test(Query(entry.key), _presence_or_string(entry.value))
        for entry in mapping(one.get("withoutHeaders")).entries:
            yield self._without(entry)

    def _header(self, entry: Entry) -> Predicate:
        if entry.key.startswith(_CLAIMS):
            path = _claim_path(entry.key[len(_CLAIMS) :])
            if path is None:
                return Opaque(f"match.headers[{entry.key}]", Origin(entry.key_span))
            return _test(Claim(path), _presence_or_string(entry.value))
        attribute = self._attribute(entry)
        return attribute if isinstance(attribute, Opaque) else _test(attribute, _presence_or_string(entry.value))

    def _without(self, entry: Entry) -> Predicate:
        """That the header is not so: one that is missing is compared as the empty string."""
        attribute = self._attribute(entry)
        wanted = _presence_or_string(entry.value)
        if isinstance(attribute, Opaque):
            return attribute
        if isinstance(wanted, Opaque):
            return wanted
        if entry.key.startswith(_CLAIMS):
            return Opaque(f"match.withoutHeaders[{entry.key}]", Origin(entry.key_span))
        met: Predicate = Test(attribute, wanted)
        if not isinstance(wanted, Present) and _takes_empty(wanted):
            met = disjunction((met, negation(Test(attribute, Present()))))
        return negation(met)

    def _attribute(self, entry: Entry) -> Attribute | Opaque:
        name = lower_ascii(entry.key)
        if name in {":authority", "host"}:
            return RawAuthority()
        if name == ":method":
            return Method()
        if name in _PSEUDO or name.startswith(":") or not is_seen(name):
            return Opaque(f"match.headers[{entry.key}]", Origin(entry.key_span))
        return header_of(name, has_joined_headers=self._has_joined_headers)


def tls_match(one: MapNode, namespace: str) -> Match:
    """An item of `tls[].match`: by the server name that the client asks for."""
    names = tuple(dict.fromkeys(lower_ascii(found.value) for found in texts(one.get("sniHosts"))))
    asked = disjunction(tuple(map(sni_test, names))) if names else Always()
    return _connection_match(one, namespace, asked)


def tcp_match(one: MapNode, namespace: str) -> Match:
    """An item of `tcp[].match`."""
    subnet = text(one.get("sourceSubnet"))
    asked = Always() if subnet is None else _in_network(SourceIp(), subnet, one.get("sourceSubnet"))
    return _connection_match(one, namespace, asked)


def sni_test(name: str) -> Predicate:
    """That the server name is the one, or one that the wildcard takes; `*` needs one."""
    if name == ANY:
        return Test(Sni(), Present())
    return Test(Sni(), Suffix(name[1:]) if is_wild(name) else Exact(name))


def _connection_match(one: MapNode, namespace: str, asked: Predicate) -> Match:
    networks = texts(one.get("destinationSubnets"))
    within = tuple(_in_network(DestinationIp(), found.value, one) for found in networks)
    port, gateways, labels, sender = _generated(one, namespace)
    return Match(
        predicate=conjunction((asked, disjunction(within) if within else Always())),
        path=None,
        origin=origin_of(one),
        port=port,
        gateways=gateways,
        sender_labels=labels,
        sender_namespace=sender,
    )


def _in_network(attribute: Attribute, network: str, at: Placed | None) -> Predicate:
    try:
        return Test(attribute, Cidr(str(ip_network(network, strict=False))))
    except ValueError:
        return Opaque("match.subnet", origin_of(at if at is not None else MapNode((), _NOWHERE)))


_NOWHERE = origin_of(mapping(None)).span


def _generated(
    one: MapNode, namespace: str
) -> tuple[int | None, tuple[str, ...] | None, tuple[tuple[str, str], ...], str | None]:
    """What is told apart when proxies are configured. With `gateways` the sender is not asked for."""
    names = texts(one.get("gateways"))
    port = number(one.get("port")) or None
    if names:
        return port, tuple(gateway_name(found.value, namespace) for found in names), (), None
    return port, None, pairs(one.get("sourceLabels")), text(one.get("sourceNamespace"))


def gateway_name(name: str, namespace: str) -> str:
    """The full name of a gateway as an object in the namespace writes it; `mesh` is itself."""
    if name == "mesh" or "/" in name:
        return name.replace("./", f"{namespace}/", 1) if name.startswith("./") else name
    parts = full_host(name, namespace, "").split(".")
    # `NAME.NAMESPACE.svc.DOMAIN` is an old form that Istio still reads.
    is_old_form = len(parts) > _WHOLE_HOST and parts[2] == "svc" and "." in name
    return f"{parts[1]}/{parts[0]}" if is_old_form else f"{namespace}/{name}"


def _test(attribute: Attribute, wanted: Matcher | Opaque | None) -> Predicate:
    if isinstance(wanted, Opaque):
        return wanted
    return Always() if wanted is None else Test(attribute, wanted)


def _presence_or_string(node: Placed) -> Matcher | Opaque:
    """A match of a header or parameter: nothing in it, and the expression `*`, ask for presence."""
    if text(mapping(node).get("regex")) == "*":
        return Present()
    return _string(node) or Present()


def _string(node: Placed | None, *, ignore_case: bool = False) -> Matcher | Opaque | None:
    """A match of a string; None for one that asks for nothing."""
    one = mapping(node)
    for entry in one.entries:
        value = entry.value.value if isinstance(entry.value, Leaf) else None
        if not isinstance(value, str):
            continue
        match entry.key:
            case "exact":
                return Exact(value, ignore_case)
            case "prefix":
                return Prefix(value, ignore_case)
            case "regex":
                return expression(value, origin_of(entry.value))
            case _:
                continue
    return None


def expression(value: str, origin: Origin) -> Matcher | Opaque:
    """An RE2 expression for the whole string; one that cannot be decided exactly is not modelled."""
    try:
        pattern.check_regex(value)
    except (PatternRefused, PatternTooLarge):
        return Opaque(f"the expression `{value}`", origin)
    return Regex(value)


def _takes_empty(matcher: Matcher) -> bool:
    match matcher:
        case Exact(value) | Prefix(value):
            return not value
        case Regex(value):
            return pattern.matches(pattern.Regex(value), "")
        case _:
            return False


def _claim_path(rest: str) -> tuple[str, ...] | None:
    """`.a.b` and `[a][b]` lead through two names."""
    if rest.startswith("."):
        return tuple(rest[1:].split("."))
    parts = _BRACKET.findall(rest)
    return tuple(parts) if parts and "".join(f"[{part}]" for part in parts) == rest else None


def read_matches(node: Placed | None, origin: Origin, read: Callable[[MapNode], Match]) -> tuple[Match, ...]:
    """All items of a `match`, of which one must agree; none at all takes everything."""
    found = tuple(read(mapping(item)) for item in getattr(node, "items", ()))
    return found or (Match(Always(), None, origin),)
