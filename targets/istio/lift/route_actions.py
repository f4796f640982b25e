"""Where the rules of a VirtualService send requests, and what they answer instead."""

from __future__ import annotations

from meshproof.compiler.ir.routing import Redirect
from meshproof.targets.common.tree import MapNode, Placed
from meshproof.targets.istio.lift.hosts import full_host
from meshproof.targets.istio.lift.route_model import Copy, Sending, Unsettled
from meshproof.targets.istio.lift.route_settings import WHOLE, edits_of, percent_of
from meshproof.targets.istio.lift.values import mapping, mappings, number, origin_of, text

_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_DEFAULT_PORTS = {"http": 80, "https": 443}


def sendings_of(node: Placed | None, namespace: str, domain: str) -> tuple[Sending, ...]:
    """The destinations: of several those without a weight get nothing, one alone gets everything."""
    written = mappings(node)
    found = tuple(_sending(one, namespace, domain) for one in written)
    if len(found) == 1:
        return (_with_weight(found[0], 1),)
    return tuple(one for one in found if one.weight > 0)


def destination_of(node: MapNode, namespace: str, domain: str, weight: int) -> Sending:
    """One `destination`."""
    return Sending(
        host=full_host(text(node.get("host")) or "", namespace, domain),
        subset=text(node.get("subset")),
        port=number(node.at("port", "number")),
        weight=weight,
        edits=(),
        origin=origin_of(node),
    )


def _sending(one: MapNode, namespace: str, domain: str) -> Sending:
    edits, host = edits_of(one.get("headers"))
    destination = mapping(one.get("destination"))
    base = destination_of(destination, namespace, domain, number(one.get("weight")) or 0)
    return Sending(base.host, base.subset, base.port, base.weight, edits, base.origin, host)


def _with_weight(one: Sending, weight: int) -> Sending:
    return Sending(one.host, one.subset, one.port, weight, one.edits, one.origin, one.rewrite_host, one.status)


def copies_of(rule: MapNode, namespace: str, domain: str) -> tuple[Copy, ...]:
    """The mirrors that get something. Without a percentage they get all."""
    found: list[Copy] = []
    single = rule.get("mirror")
    if isinstance(single, MapNode):
        plain = rule.get("mirrorPercent") or rule.get("mirror_percent")
        percent = percent_of(rule.at("mirrorPercentage", "value"), percent_of(plain, WHOLE))
        if rule.get("mirrorPercentage") is not None and rule.at("mirrorPercentage", "value") is None:
            percent = 0
        found.append(Copy(destination_of(single, namespace, domain, 1), percent, origin_of(single)))
    for one in mappings(rule.get("mirrors")):
        percent = WHOLE if one.get("percentage") is None else percent_of(one.at("percentage", "value"), 0)
        destination = destination_of(mapping(one.get("destination")), namespace, domain, 1)
        found.append(Copy(destination, percent, origin_of(one)))
    return tuple(one for one in found if one.percent > 0)


def redirect_of(node: Placed | None, *, is_secure: bool | None = None) -> Redirect | Unsettled | None:
    """The redirect; a status that is none does something else, which is not modelled."""
    if not isinstance(node, MapNode):
        return None
    status = number(node.get("redirectCode")) or 301
    if status not in _REDIRECTS:
        return Unsettled("redirect.redirectCode", origin_of(node))
    prefix = text(node.get("prefixRewrite"))
    port = number(node.get("port"))
    if text(node.get("derivePort")) == "FROM_PROTOCOL_DEFAULT" and is_secure is not None:
        port = _DEFAULT_PORTS["https" if is_secure else "http"]
    return Redirect(
        status=status,
        host=text(node.get("authority")),
        path=text(node.get("uri")) if prefix is None else prefix,
        origin=origin_of(node),
        scheme=text(node.get("scheme")),
        port=port,
        replaces_prefix=prefix is not None,
    )


def answer_of(node: Placed | None) -> int | None:
    """The status of a direct response."""
    return number(mapping(node).get("status"))
