"""Values in AuthorizationPolicies that are compared letter by letter, and do not look so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.findings import LITERAL
from meshproof.targets.istio.lift.in_force import in_force_at
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.membership import Membership
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.values import Text, mapping, mappings, text, texts

_Odd = tuple[str, str]
"""What is odd about a value, and what to write."""
_PRINCIPAL_PARTS = 5
_PRINCIPALS = frozenset(("principals", "source.principal"))
_SCHEME = "spiffe://"
_EXPRESSION = re.compile(r"\.\*|\\[dw.]|\[[^\]]*\][+*]|\(\?|\^|\$$")
_HOST = re.compile(r"https?://|[^/]+/")


def notice_literal_patterns(context: LiftContext, refused: frozenset[KubeObject]) -> None:
    """A finding for each value that does not mean what it looks like."""
    for policy in context.objects.of(Kind.AUTHORIZATION_POLICY):
        if policy in refused:
            continue
        is_ambient = _is_read_by_nodes_alone(policy, context)
        for field, value in _values(policy):
            written = value.value.removeprefix(_SCHEME) if is_ambient and field in _PRINCIPALS else value.value
            found = _odd(field, written)
            if found is not None:
                what, advice = found
                message = f"`{value.value}` in `{field}` of AuthorizationPolicy `{policy.full_name}` {what}"
                context.findings.add(LITERAL, message, policy.full_name, value.origin, advice=advice)


def _is_read_by_nodes_alone(policy: KubeObject, context: LiftContext) -> bool:
    """Whether no sidecar reads the policy: the proxy of a node takes the scheme off before it compares."""
    places = in_force_at(policy, context)
    return bool(places) and all(one.membership is Membership.AMBIENT for one in places)


def _values(policy: KubeObject) -> Iterator[tuple[str, Text]]:
    """Every value of the policy's rules, with the field that it stands in, without the `not` before it."""
    for rule in mappings(policy.spec.get("rules")):
        parts = [mapping(one.get("source")) for one in mappings(rule.get("from"))]
        parts += [mapping(one.get("operation")) for one in mappings(rule.get("to"))]
        for part in parts:
            yield from _fields(part)
        for condition in mappings(rule.get("when")):
            key = text(condition.get("key")) or ""
            for name in ("values", "notValues"):
                yield from ((key, value) for value in texts(condition.get(name)))


def _fields(part: MapNode) -> Iterator[tuple[str, Text]]:
    for entry in part.entries:
        name = entry.key.removeprefix("not")
        yield from ((name[:1].lower() + name[1:], value) for value in texts(entry.value))


def _odd(field: str, value: str) -> _Odd | None:
    """What is odd about the value of a field, if anything is."""
    special = _BY_FIELD.get(field)
    found = special(value) if special is not None else None
    if found is None and field not in _NO_STARS and not field.startswith(_ANY_TEXT):
        found = _star(value)
    return found


def _star(value: str) -> _Odd | None:
    """One `*` at the beginning or the end is special, in this order; the others are letters."""
    rest = value[1:] if value.startswith("*") else value.removesuffix("*")
    if "{" not in value and "*" in rest:
        return "has a `*` that is taken for a star: one at the beginning or the end is special, and no other", (
            "write the values one by one, or use `{*}` and `{**}` in a path"
        )
    return None


def _method(value: str) -> _Odd | None:
    if any(letter.islower() for letter in value):
        return "matches no request: methods are compared as they are, and come in capital letters", (
            f"write `{value.upper()}`"
        )
    return None


def _path(value: str) -> _Odd | None:
    if not value.startswith(("/", "*", "{")):
        return "matches no request: every path begins with `/`", f"write `/{value}`"
    if "?" in value:
        return "matches no request: the query is taken off before paths are compared", "leave out what follows the `?`"
    if _EXPRESSION.search(value) is not None and "{" not in value:
        return "is taken letter by letter: paths are no regular expressions", "use `{*}`, `{**}`, or a `*` at the end"
    return None


def _host(value: str) -> _Odd | None:
    if _HOST.match(value) is not None:
        return "matches no request: a host comes without scheme and path", "write the name alone"
    return None


def _principal(value: str) -> _Odd | None:
    if value.startswith("spiffe://"):
        return "matches nobody: the scheme is put before it once more", f"write `{value.removeprefix('spiffe://')}`"
    if "*" not in value and not _is_spiffe(value):
        return "matches nobody: an identity is `TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT`", (
            "write all of it, as in `cluster.local/ns/shop/sa/web`"
        )
    return None


def _is_spiffe(value: str) -> bool:
    """Whether an identity of a Kubernetes mesh can look so; other platforms have paths of their own."""
    parts = value.split("/")
    is_of_kubernetes = len(parts) == _PRINCIPAL_PARTS and parts[1] == "ns" and parts[3] == "sa"
    is_shortened = "ns" in parts[:2] or "sa" in parts[:2]
    return is_of_kubernetes or (len(parts) > 1 and not is_shortened and "=" not in value)


_BY_FIELD: dict[str, Callable[[str], _Odd | None]] = {
    "methods": _method,
    "paths": _path,
    "hosts": _host,
    "principals": _principal,
    "source.principal": _principal,
}
_NO_STARS = frozenset(
    (
        "namespaces",
        "source.namespace",
        "ports",
        "ipBlocks",
        "remoteIpBlocks",
        "serviceAccounts",
        "source.serviceAccount",
    )
)
"""Fields without stars, or with any number of them."""
_ANY_TEXT = ("source.ip", "remote.ip", "destination.")
