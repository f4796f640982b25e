"""CloudFormation's intrinsic functions, worked out as far as a template says it all.

What only a deployed stack knows (an account, an ARN, a parameter without a value) becomes a text with `${...}` in it:
the same unknown is the same text, so names that are built of it still meet, and whoever compares such a text with
something that is known finds that it is not settled. Source: AWS CloudFormation user guide, "Intrinsic function
reference".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from meshproof.dsl.source import Span
from meshproof.targets.appmesh.settled import is_settled
from meshproof.targets.common.tree import DEPTH_MAX, Entry, Leaf, ListNode, MapNode, Placed

TEXT_MAX = 4096
"""Longer texts are refused: no name in App Mesh has more than 1024 characters."""

CHAIN_MAX = 30
"""More references in a row are refused; real templates have about three."""

_LONG_FORMS = (
    "Base64", "Cidr", "FindInMap", "GetAtt", "GetAZs", "If", "ImportValue", "Join", "Select", "Split", "Sub",
    "Transform", "And", "Equals", "Not", "Or", "Length", "ToJsonString",
)  # fmt: skip
TAGS: Mapping[str, str] = {
    "!Ref": "Ref",
    "!Condition": "Condition",
    **{f"!{name}": f"Fn::{name}" for name in _LONG_FORMS},
}
"""The short forms of YAML, by the long ones that they stand for."""

_FUNCTIONS = frozenset(TAGS.values())
_NO_VALUE = "AWS::NoValue"
_SUBSTITUTED = re.compile(r"\$\{(!?)([^{}]*)\}")

Attribute = Callable[[str, str, Span], Placed | None]
"""What `Fn::GetAtt` of a resource gives: by its logical name and the attribute. None if only the stack knows."""


class UnsettledError(Exception):
    """A part of a template that nobody can work out from it. `advice` says what would settle it."""

    def __init__(self, message: str, span: Span, advice: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Scope:
    """What functions refer to. `parameters` have values; one without is not among them."""

    parameters: Mapping[str, Placed]
    mappings: MapNode | None
    conditions: MapNode | None
    attribute: Attribute
    _running: list[str] = field(default_factory=list)
    _inside: list[Placed] = field(default_factory=list)

    def value(self, tree: Placed) -> Placed | None:
        """The tree with every function worked out; None where it is `AWS::NoValue`. Raises `UnsettledError`."""
        if isinstance(tree, Leaf):
            return tree
        with self._inside_of(tree):
            return self._inner(tree)

    @contextmanager
    def _inside_of(self, tree: Placed) -> Iterator[None]:
        """While what stands in a value is worked out: it must end before the stack does."""
        if len(self._inside) >= DEPTH_MAX:
            raise UnsettledError("values and what they refer to are nested too deeply", tree.span)
        self._inside.append(tree)
        try:
            yield
        finally:
            self._inside.pop()

    def _inner(self, tree: ListNode | MapNode) -> Placed | None:
        if isinstance(tree, ListNode):
            items = (self.value(item) for item in tree.items)
            return ListNode(tuple(item for item in items if item is not None), tree.span)
        called = _called(tree)
        if called is not None:
            return self._call(called, tree)
        found = ((entry, self.value(entry.value)) for entry in tree.entries)
        entries = (Entry(entry.key, entry.key_span, value) for entry, value in found if value is not None)
        return MapNode(tuple(entries), tree.span)

    def holds(self, name: str, at: Span) -> bool:
        """Whether the named condition holds. Raises `UnsettledError`."""
        told = None if self.conditions is None else self.conditions.get(name)
        if told is None:
            raise UnsettledError(f"there is no condition `{name}`", at)
        with self._asking(f"condition {name}", at):
            return self._truth(told)

    @contextmanager
    def _asking(self, what: str, at: Span) -> Iterator[None]:
        """While something is worked out that others refer to: it must not lead back to itself, nor on for ever."""
        if what in self._running:
            raise UnsettledError(f"`{what}` refers to itself", at)
        if len(self._running) >= CHAIN_MAX:
            raise UnsettledError(f"more than {CHAIN_MAX} references follow each other", at)
        self._running.append(what)
        try:
            yield
        finally:
            self._running.pop()

    def _truth(self, tree: Placed) -> bool:
        with self._inside_of(tree):
            return self._holds(tree)

    def _holds(self, tree: Placed) -> bool:
        called = _called(tree) if isinstance(tree, MapNode) else None
        if called is None:
            raise UnsettledError("this is no condition", tree.span)
        match called.key:
            case "Condition":
                return self.holds(_text_of(called.value), called.value.span)
            case "Fn::Equals":
                return self._are_equal(called)
            case "Fn::Not":
                return not self._truth(_items(called, 1)[0])
            case "Fn::And":
                return all(self._truth(one) for one in _items(called))
            case "Fn::Or":
                return any(self._truth(one) for one in _items(called))
            case _:
                raise UnsettledError(f"`{called.key}` is no condition", called.key_span)

    def _are_equal(self, called: Entry) -> bool:
        one, other = (self._joined(item) for item in _items(called, 2))
        if one == other:
            return True
        if is_settled(one) and is_settled(other):
            return False
        unknown = one if not is_settled(one) else other
        raise UnsettledError(f"whether `{one}` is `{other}` is not known", called.value.span, _advice(unknown))

    def _call(self, called: Entry, tree: MapNode) -> Placed | None:
        match called.key:
            case "Ref":
                return self._ref(_text_of(called.value), tree.span)
            case "Fn::GetAtt":
                return self._get_att(called, tree.span)
            case "Fn::If":
                return self._if(called)
            case "Fn::Join":
                return self._join(called, tree.span)
            case "Fn::Sub":
                return _leaf(self._sub(called.value), tree.span)
            case "Fn::FindInMap":
                return self._find(called)
            case "Fn::Select":
                return self._select(called, tree.span)
            case "Fn::Split":
                return self._split(called, tree.span)
            case "Condition":
                return _leaf("true" if self._truth(tree) else "false", tree.span)
            case _:
                return _leaf(f"${{{called.key} at {tree.span.start}}}", tree.span)

    def _ref(self, name: str, span: Span) -> Placed | None:
        if name == _NO_VALUE:
            return None
        found = self.parameters.get(name)
        return _at(found, span) if found is not None else self.attribute(name, "", span) or _leaf(_unknown(name), span)

    def _get_att(self, called: Entry, span: Span) -> Placed:
        value = called.value
        if isinstance(value, ListNode):
            name, *rest = (self._joined(item) for item in value.items)
            attribute = ".".join(rest)
        else:
            name, _, attribute = _text_of(value).partition(".")
        return self._attribute(name, attribute, span)

    def _attribute(self, name: str, attribute: str, span: Span) -> Placed:
        asked = f"{name}.{attribute}"
        with self._asking(asked, span):
            found = self.attribute(name, attribute, span)
        return _leaf(_unknown(asked), span) if found is None else found

    def _if(self, called: Entry) -> Placed | None:
        name, then, otherwise = _items(called, 3)
        return self.value(then if self.holds(_text_of(name), name.span) else otherwise)

    def _join(self, called: Entry, span: Span) -> Leaf:
        between, parts = _items(called, 2)
        found = self.value(parts)
        if not isinstance(found, ListNode):
            return _leaf(f"${{Fn::Join at {span.start}}}", span)
        return _leaf(_text_of(between).join(_text_of(item) for item in found.items), span)

    def _sub(self, tree: Placed) -> str:
        """`${Name}` and `${Name.Attribute}` are put in; `${!Name}` stays as `${Name}`, which counts as unknown."""
        given: Mapping[str, Placed] = {}
        if isinstance(tree, ListNode) and len(tree.items) == 2 and isinstance(tree.items[1], MapNode):  # noqa: PLR2004
            given = {entry.key: entry.value for entry in tree.items[1].entries}
            tree = tree.items[0]
        text, end = _text_of(tree), 0
        found: list[str] = []
        for match in _SUBSTITUTED.finditer(text):
            is_literal, name = match[1], match[2].strip()
            found += (text[end : match.start()], f"${{{name}}}" if is_literal else self._named(name, given, tree.span))
            end = match.end()
        return "".join((*found, text[end:]))

    def _named(self, name: str, given: Mapping[str, Placed], span: Span) -> str:
        if name in given:
            return self._joined(given[name])
        resource, _, attribute = name.partition(".")
        found = self._attribute(resource, attribute, span) if attribute else self._ref(name, span)
        return "" if found is None else _text_of(found)

    def _find(self, called: Entry) -> Placed:
        names = tuple(self._joined(item) for item in _items(called))
        found = None if self.mappings is None else self.mappings.at(*names)
        if found is not None:
            return found
        unknown = next((name for name in names if not is_settled(name)), None)
        if unknown is None:
            raise UnsettledError(f"there is no `{'.'.join(names)}` among the mappings", called.value.span)
        return _leaf(f"${{{'.'.join(names)}}}", called.value.span)

    def _select(self, called: Entry, span: Span) -> Placed:
        number, among = _items(called, 2)
        index, found = self._joined(number), self.value(among)
        if not isinstance(found, ListNode) or not index.isascii() or not index.isdigit():
            return _leaf(f"${{Fn::Select at {span.start}}}", span)
        if int(index) >= len(found.items):
            raise UnsettledError(f"there is no entry {index} among {len(found.items)}", span)
        return found.items[int(index)]

    def _split(self, called: Entry, span: Span) -> Placed:
        by, whole = _items(called, 2)
        text = self._joined(whole)
        if not is_settled(text) or not _text_of(by):
            return _leaf(f"${{Fn::Split at {span.start}}}", span)
        return ListNode(tuple(_leaf(part, span) for part in text.split(_text_of(by))), span)

    def _joined(self, tree: Placed) -> str:
        """The text that something comes to."""
        found = self.value(tree)
        return "" if found is None else _text_of(found)


def _called(tree: MapNode) -> Entry | None:
    """The function that a mapping stands for: it has that one key."""
    if len(tree.entries) != 1 or tree.entries[0].key not in _FUNCTIONS:
        return None
    return tree.entries[0]


def _items(called: Entry, number: int | None = None) -> tuple[Placed, ...]:
    value = called.value
    if not isinstance(value, ListNode) or number not in {None, len(value.items)}:
        asked = "values" if number is None else f"{number} values"
        raise UnsettledError(f"`{called.key}` takes a list of {asked}", value.span)
    return value.items


def _text_of(tree: Placed) -> str:
    if not isinstance(tree, Leaf):
        raise UnsettledError("a text is wanted here", tree.span)
    return tree.text


def _leaf(text: str, span: Span) -> Leaf:
    if len(text) > TEXT_MAX:
        raise UnsettledError(f"the text comes to more than {TEXT_MAX} characters", span)
    return Leaf(text, text, span)


def _at(tree: Placed, span: Span) -> Placed:
    """The value as it stands where it is used."""
    match tree:
        case Leaf(value, text):
            return Leaf(value, text, span)
        case ListNode(items):
            return ListNode(tuple(_at(item, span) for item in items), span)
        case _:
            return tree


def _unknown(name: str) -> str:
    return f"${{{name}}}"


def _advice(unknown: str) -> str | None:
    names = tuple(_unknown_names(unknown))
    if not names:
        return None
    return f"give it with `--option app-mesh.parameter.{names[0]}=VALUE` if it is a parameter of the template"


def _unknown_names(text: str) -> Iterator[str]:
    yield from (match[2] for match in _SUBSTITUTED.finditer(text) if re.fullmatch(r"\w+", match[2]))
