"""Routes of a VirtualService that another one, its delegate, says in full (pilot/pkg/model/virtualservice.go).

The rules of both are merged as trees, before anything is read of them: every pair of matches that agree makes one.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.targets.common.tree import Entry, Leaf, ListNode, MapNode, Placed, is_same
from meshproof.targets.istio.lift.values import mapping, mappings, number, pairs, text, texts

_STRINGS = ("uri", "scheme", "method", "authority")
_MAPS = ("headers", "withoutHeaders", "queryParams", "sourceLabels")


def merged_rules(root: MapNode, rules: tuple[MapNode, ...]) -> Iterator[tuple[int, MapNode]]:
    """The rules of the delegate inside of the root's rule, with their number there.

    A rule of the delegate with a match that agrees with none of the root's is left out as a whole.
    """
    for index, rule in enumerate(rules):
        merged = _merged_matches(mappings(root.get("match")), mappings(rule.get("match")))
        if merged is None:
            continue
        kept = tuple(entry for entry in root.entries if entry.key not in {"match", "delegate", "name"})
        own = {entry.key for entry in rule.entries}
        entries = [entry for entry in rule.entries if entry.key not in {"match", "headers"}]
        entries.extend(entry for entry in kept if entry.key not in own)
        if "headers" in own:
            entries.append(_merged_headers(root, rule))
        if merged:
            entries.append(Entry("match", rule.span, ListNode(merged, rule.span)))
        yield index, MapNode(tuple(entries), rule.span)


def _merged_matches(root: tuple[MapNode, ...], own: tuple[MapNode, ...]) -> tuple[MapNode, ...] | None:
    if not root or not own:
        return own or root
    found: list[MapNode] = []
    for one in own:
        agreeing = [_merged_match(outer, one) for outer in root if not conflicts(outer, one)]
        if not agreeing:
            return None
        found.extend(agreeing)
    return tuple(found)


def conflicts(root: MapNode, own: MapNode) -> bool:
    """Whether two matches cannot be merged: one asks for what the other does not allow, or it cannot be told."""
    if any(_is_conflict(root.get(name), own.get(name)) for name in _STRINGS):
        return True
    for name in ("headers", "queryParams", "withoutHeaders"):
        given = mapping(root.get(name))
        if any(_is_conflict(given.get(entry.key), entry.value) for entry in mapping(own.get(name)).entries):
            return True
    if bool(_truth(root.get("ignoreUriCase"))) != bool(_truth(own.get("ignoreUriCase"))):
        return True
    ports = (number(root.get("port")) or 0, number(own.get("port")) or 0)
    if all(ports) and ports[0] != ports[1]:
        return True
    if text(root.get("sourceNamespace")) != text(own.get("sourceNamespace")):
        return True
    labels = dict(pairs(root.get("sourceLabels")))
    if any(labels.get(key, value) != value for key, value in pairs(own.get("sourceLabels"))):
        return True
    outer = {one.value for one in texts(root.get("gateways"))}
    inner = {one.value for one in texts(own.get("gateways"))}
    return bool(outer) and bool(inner) and not inner <= outer


def _is_conflict(root: Placed | None, own: Placed | None) -> bool:
    if root is None or own is None:
        return False
    outer, inner = _kind(root), _kind(own)
    if outer is None or inner is None:
        return False
    if "regex" in {outer[0], inner[0]}:
        return True
    if outer[0] == "exact":
        return inner != outer
    return not inner[1].startswith(outer[1])


def _kind(node: Placed) -> tuple[str, str] | None:
    for entry in mapping(node).entries:
        value = text(entry.value)
        if entry.key in {"exact", "prefix", "regex"} and value is not None:
            return entry.key, value
    return None


def _merged_match(root: MapNode, own: MapNode) -> MapNode:
    """The delegate's part of each field wins; maps are put together."""
    taken = {entry.key for entry in own.entries}
    entries = [entry for entry in own.entries if entry.key not in _MAPS]
    entries.extend(entry for entry in root.entries if entry.key not in taken and entry.key not in _MAPS)
    for name in _MAPS:
        inner, outer = mapping(own.get(name)), mapping(root.get(name))
        keys = {entry.key for entry in inner.entries}
        both = (*inner.entries, *(entry for entry in outer.entries if entry.key not in keys))
        if both:
            entries.append(Entry(name, own.span, MapNode(both, own.span)))
    return MapNode(tuple(entries), own.span)


def _merged_headers(root: MapNode, rule: MapNode) -> Entry:
    """Edits of both; of two for one header the delegate's wins."""
    inner, outer = mapping(rule.get("headers")), mapping(root.get("headers"))
    sides = tuple(
        Entry(side, rule.span, _both(mapping(outer.get(side)), mapping(inner.get(side))))
        for side in ("request", "response")
    )
    return Entry("headers", rule.span, MapNode(sides, rule.span))


def _both(outer: MapNode, inner: MapNode) -> MapNode:
    entries: list[Entry] = []
    for action in ("set", "add"):
        own = mapping(inner.get(action)).entries
        keys = {entry.key for entry in own}
        both = (*own, *(entry for entry in mapping(outer.get(action)).entries if entry.key not in keys))
        if both:
            entries.append(Entry(action, inner.span, MapNode(both, inner.span)))
    removed: list[Placed] = []
    for node in (outer.get("remove"), inner.get("remove")):
        removed.extend(node.items if isinstance(node, ListNode) else ())
    unique = tuple(
        one for index, one in enumerate(removed) if not any(is_same(one, other) for other in removed[:index])
    )
    if unique:
        entries.append(Entry("remove", inner.span, ListNode(unique, inner.span)))
    return MapNode(tuple(entries), inner.span)


def _truth(node: Placed | None) -> bool:
    return isinstance(node, Leaf) and node.value is True
