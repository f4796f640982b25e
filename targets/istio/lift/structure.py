"""What the API server makes of an object: fields that its kind does not have, and values that the schema refuses.

The schemas are those of the custom resource definitions (`targets/istio/schemas`); each fault has its place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TypeAlias

from meshproof.dsl.source import Span
from meshproof.targets.common.tree import Leaf, ListNode, MapNode, Placed

Schema: TypeAlias = Mapping[str, object]

_FOLDER = Path(__file__).parent.parent / "schemas"
_TYPES = {"string": "a string", "integer": "a whole number", "number": "a number", "boolean": "true or false"}
_TYPES |= {"object": "a mapping", "array": "a list"}
_LONG = 60
_UNIONS = frozenset(("allOf", "oneOf", "anyOf"))
_ASKED_OF_LEAVES = frozenset(("enum", "minimum", "maximum", "minLength", "maxLength", "pattern"))


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong. `path` is dotted, with `[N]` for items; `message` is a clause about it.

    An unknown field is dropped by the API server (or refused, if whoever applies it asks for that); anything else
    makes it refuse the object.
    """

    path: str
    span: Span
    message: str
    is_unknown_field: bool = False
    advice: str | None = None


@cache
def schema_of(kind: str) -> Schema | None:
    """The schema of a kind of Istio's, None for one that has none here."""
    path = _FOLDER / f"{kind}.json"
    if not path.is_file():
        return None
    found: Schema = json.loads(path.read_text(encoding="utf-8"))
    return found


def faults_in(node: Placed, schema: Schema, path: str = "") -> Iterator[Fault]:
    """Everything about the value that the schema refuses. Null counts as left out, as it does for the API server."""
    if not _has_type(node, schema):
        yield Fault(path, node.span, f"is {_what(node)}, not {_expected(schema)}")
        return
    match node:
        case MapNode():
            yield from _map_faults(node, schema, path)
        case Leaf():
            yield from _leaf_faults(node, schema, path)
        case ListNode():
            yield from _list_faults(node, schema, path)
    if not _UNIONS.isdisjoint(schema):
        yield from _union_faults(node, schema, path)


def _is_plainly_good(node: Placed, schema: Schema) -> bool:
    """Whether the value is a scalar of which nothing is asked but its type, which it has: as nearly all are."""
    if not isinstance(node, Leaf) or not _ASKED_OF_LEAVES.isdisjoint(schema) or not _UNIONS.isdisjoint(schema):
        return False
    return _has_type(node, schema)


def _has_type(node: Placed, schema: Schema) -> bool:
    wanted = schema.get("type")
    if wanted is None:
        return True
    if isinstance(wanted, list):
        return any(_is_of_type(node, str(name)) for name in wanted)
    return _is_of_type(node, str(wanted))


def _is_of_type(node: Placed, name: str) -> bool:
    match node:
        case MapNode():
            return name == "object"
        case Leaf(value=str()):
            return name == "string"
        case ListNode():
            return name == "array"
        case Leaf(value=bool()):
            return name == "boolean"
        case Leaf(value=None):
            return name == "null"
        case Leaf(value=float() as value):
            return name == "number" or (name == "integer" and value.is_integer())
        case Leaf():
            return name in {"integer", "number"}


def _leaf_faults(node: Leaf, schema: Schema, path: str) -> Iterator[Fault]:
    choices = schema.get("enum")
    if isinstance(choices, list) and node.value not in choices:
        listed = ", ".join(f"`{choice}`" for choice in choices)
        close = get_close_matches(str(node.value), [str(choice) for choice in choices], 1)
        advice = f"did you mean `{close[0]}`?" if close else None
        yield Fault(path, node.span, f"is {_what(node)}, not one of {listed}", advice=advice)
    if isinstance(node.value, str):
        yield from _text_faults(node, node.value, schema, path)
    elif isinstance(node.value, int | float) and not isinstance(node.value, bool):
        low, high = schema.get("minimum"), schema.get("maximum")
        if isinstance(low, int | float) and node.value < low:
            yield Fault(path, node.span, f"is {_what(node)}, less than {low:g}")
        if isinstance(high, int | float) and node.value > high:
            yield Fault(path, node.span, f"is {_what(node)}, more than {high:g}")


def _text_faults(node: Leaf, text: str, schema: Schema, path: str) -> Iterator[Fault]:
    least, most = schema.get("minLength"), schema.get("maxLength")
    if isinstance(least, int) and len(text) < least:
        yield Fault(path, node.span, "is empty" if not text else f"has fewer than {least} characters")
    if isinstance(most, int) and len(text) > most:
        yield Fault(path, node.span, f"has more than {most} characters")
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and re.search(pattern, text) is None:
        yield Fault(path, node.span, f"is {_what(node)}, which has not the form that it must have")


def _list_faults(node: ListNode, schema: Schema, path: str) -> Iterator[Fault]:
    least, most = schema.get("minItems"), schema.get("maxItems")
    if isinstance(least, int) and len(node.items) < least:
        yield Fault(path, node.span, f"has fewer than {least} items")
    if isinstance(most, int) and len(node.items) > most:
        yield Fault(path, node.span, f"has more than {most} items")
    items = schema.get("items")
    if isinstance(items, dict):
        for index, item in enumerate(node.items):
            if not _is_plainly_good(item, items):
                yield from faults_in(item, items, f"{path}[{index}]")


def _map_faults(node: MapNode, schema: Schema, path: str) -> Iterator[Fault]:
    properties = schema.get("properties")
    known = properties if isinstance(properties, dict) else {}
    rest = schema.get("additionalProperties", True)
    for entry in node.entries:
        inner = known.get(entry.key, rest)
        if isinstance(inner, dict) and _is_plainly_good(entry.value, inner):
            continue
        place = f"{path}.{entry.key}" if path else entry.key
        if inner is False:
            close = get_close_matches(entry.key, [str(name) for name in known], 1)
            advice = f"did you mean `{close[0]}`?" if close else None
            yield Fault(place, entry.key_span, "is a field that is not known", is_unknown_field=True, advice=advice)
        elif isinstance(inner, dict) and not (isinstance(entry.value, Leaf) and entry.value.value is None):
            yield from faults_in(entry.value, inner, place)
    required = schema.get("required")
    for name in required if isinstance(required, list) else []:
        if node.get(name) is None:
            yield Fault(path, node.span, f"has no `{name}`")
    most = schema.get("maxProperties")
    if isinstance(most, int) and len(node.entries) > most:
        yield Fault(path, node.span, f"has more than {most} entries")
    if schema.get("minProperties") == 1 and not node.entries:
        yield Fault(path, node.span, "is empty")


def _union_faults(node: Placed, schema: Schema, path: str) -> Iterator[Fault]:
    """The schemas' unions say which fields exclude each other."""
    for one in _schemas(schema, "allOf"):
        yield from _union_faults(node, one, path)
    alternatives = _schemas(schema, "oneOf")
    if alternatives and sum(_fits(node, one) for one in alternatives) != 1:
        names = sorted({str(name) for one in alternatives for name in _required(one)})
        yield Fault(path, node.span, f"has not exactly one of {', '.join(f'`{name}`' for name in names)}")
    choices = _schemas(schema, "anyOf")
    if choices and not any(_fits(node, one) for one in choices):
        yield Fault(path, node.span, f"is {_what(node)}, which has not the form that it must have")


def _schemas(schema: Schema, word: str) -> list[Schema]:
    found = schema.get(word)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _required(schema: Schema) -> list[object]:
    found = schema.get("required")
    return found if isinstance(found, list) else []


def _fits(node: Placed, schema: Schema) -> bool:
    negated = schema.get("not")
    if isinstance(negated, dict) and _fits(node, negated):
        return False
    return next(faults_in(node, schema), None) is None


def _expected(schema: Schema) -> str:
    wanted = schema.get("type")
    names = [str(name) for name in wanted] if isinstance(wanted, list) else [str(wanted)]
    return " or ".join(_TYPES[name] for name in names if name in _TYPES)


def _what(node: Placed) -> str:
    match node:
        case ListNode():
            return "a list"
        case MapNode():
            return "a mapping"
        case Leaf():
            kind = {bool: "the truth value", int: "the number", float: "the number"}.get(type(node.value), "")
            text = node.text if len(node.text) <= _LONG else f"{node.text[:_LONG]}…"
            return f"{kind} `{text}`".strip() if node.value is not None else "empty"
