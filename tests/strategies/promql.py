"""What a query of Prometheus asks for: its selectors, and the labels by which it groups. No more of the language."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r'(?P<string>"(?:[^"\\]|\\.)*")|(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)|(?P<range>\[[^\]]*\])|(?P<number>[0-9.]+)'
    r"|(?P<match>=~|!~|!=|=)|(?P<other>[-+*/%^(){},<>])|(?P<blank>\s+)"
)
_WORDS = frozenset({"and", "or", "unless", "bool", "offset"})
_GROUPING = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})


@dataclass(frozen=True, slots=True)
class Selector:
    """`matchers` are labels with an operator and a value; `has_range` tells that rates are made of it."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]
    has_range: bool
    function: str
    """The function around it, if there is one."""

    def takes(self, labels: dict[str, str]) -> bool:
        """Whether a series of the metric is asked for."""
        return all(_fits(labels.get(label, ""), operator, value) for label, operator, value in self.matchers)


@dataclass(frozen=True, slots=True)
class Asked:
    """What one query asks for."""

    selectors: tuple[Selector, ...]
    grouped_by: frozenset[str]


def _fits(value: str, operator: str, wanted: str) -> bool:
    match operator:
        case "=":
            return value == wanted
        case "!=":
            return value != wanted
        case "=~":
            return re.fullmatch(wanted, value) is not None
        case _:
            return re.fullmatch(wanted, value) is None


def asked(query: str) -> Asked:
    """Raises `ValueError` for what is no query, as far as this looks."""
    tokens = _tokens(query)
    selectors: list[Selector] = []
    grouped: set[str] = set()
    functions: list[str] = []
    at = 0
    while at < len(tokens):
        kind, text = tokens[at]
        at += 1
        following = tokens[at][1] if at < len(tokens) else ""
        if text == "(":
            functions.append("")
        elif text == ")":
            if not functions:
                raise ValueError(f"a `)` too many in {query}")
            functions.pop()
        elif kind == "name" and text in _GROUPING:
            at, labels = _labels(tokens, at)
            grouped |= labels
        elif kind == "name" and text not in _WORDS:
            if following == "(":
                functions.append(text)
                at += 1
            elif following not in _GROUPING:
                at, selector = _selector(tokens, at, text, next((one for one in reversed(functions) if one), ""))
                selectors.append(selector)
    if functions:
        raise ValueError(f"a `)` is missing in {query}")
    return Asked(tuple(selectors), frozenset(grouped))


def _tokens(query: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(query):
        one = _TOKEN.match(query, at)
        if one is None or one.lastgroup is None:
            raise ValueError(f"`{query[at:]}` is not read")
        at = one.end()
        if one.lastgroup != "blank":
            found.append((one.lastgroup, one[0]))
    return found


def _labels(tokens: list[tuple[str, str]], at: int) -> tuple[int, set[str]]:
    if tokens[at][1] != "(":
        raise ValueError("labels stand in parentheses")
    found: set[str] = set()
    at += 1
    while tokens[at][1] != ")":
        if tokens[at][0] == "name":
            found.add(tokens[at][1])
        at += 1
    return at + 1, found


def _selector(tokens: list[tuple[str, str]], at: int, metric: str, function: str) -> tuple[int, Selector]:
    matchers: list[tuple[str, str, str]] = []
    if at < len(tokens) and tokens[at][1] == "{":
        at += 1
        while tokens[at][1] != "}":
            (kind, label), (is_match, operator), (is_string, value) = tokens[at : at + 3]
            if (kind, is_match, is_string) != ("name", "match", "string"):
                raise ValueError(f"`{label}{operator}{value}` is no matcher")
            matchers.append((label, operator, value[1:-1]))
            at += 3
            if tokens[at][1] == ",":
                at += 1
        at += 1
    has_range = at < len(tokens) and tokens[at][0] == "range"
    return at + has_range, Selector(metric, tuple(matchers), has_range, function)
