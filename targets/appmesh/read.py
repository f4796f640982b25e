"""Trees as values: strict, and every fault with its place.

What the service model bounds is held here, which neither botocore nor CloudFormation's schemas do: enumerations,
maxima, patterns, and unions of which exactly one member is there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar, cast

from meshproof.dsl.source import Span
from meshproof.targets.appmesh.limits import Limits
from meshproof.targets.appmesh.shapes import Member, is_union, members
from meshproof.targets.appmesh.spelling import Spelling
from meshproof.targets.common.tree import Leaf, ListNode, MapNode, Placed

_T = TypeVar("_T")
_TRUTH = {"true": True, "false": False}
_NUMBER = re.compile(r"-?[0-9]{1,18}").fullmatch
_KINDS: dict[type, str] = {str: "a text", int: "a whole number", bool: "`true` or `false`"}


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a tree is no such resource. `path` leads to it from the top; `is_unknown`: a field that does not exist."""

    path: str
    span: Span
    message: str
    help: str | None = None
    is_unknown: bool = False


class _RefusedError(Exception):
    """A value is refused, and the faults say why."""


class Reader:
    """Reads resources in one spelling. `faults` are of all that it was given."""

    def __init__(self, spelling: Spelling) -> None:
        self._spelling = spelling
        self.faults: list[Fault] = []

    def read(self, shape: type[_T], tree: Placed, path: str = "") -> _T | None:
        """The value; None if anything in the tree is refused."""
        before = len(self.faults)
        try:
            found = self._structure(shape, tree, path)
        except _RefusedError:
            return None
        return cast("_T", found) if len(self.faults) == before else None

    def _structure(self, shape: type[Any], tree: Placed, path: str) -> object:
        if not isinstance(tree, MapNode):
            raise self._refuse(path, tree.span, "it is no mapping")
        known = {self._spelling.key(one.name): one for one in members(shape)}
        for entry in tree.entries:
            if entry.key not in known:
                self._unknown(f"{path}.{entry.key}", entry.key_span, entry.key, tuple(known))
        given = {one.name: tree.get(key) for key, one in known.items()}
        if is_union(shape) and sum(one is not None for one in given.values()) != 1:
            self._fault(path, tree.span, f"exactly one of {_listed(tuple(known))} stands here")
        found: dict[str, object] = {}
        is_whole = True
        for key, one in known.items():
            value = given[one.name]
            if value is None:
                if one.is_required:
                    self._fault(path, tree.span, f"`{key}` is missing")
                    is_whole = False
                continue
            try:
                found[one.name] = self._member(one, value, f"{path}.{key}")
            except _RefusedError:
                is_whole = False
        if not is_whole:
            raise _RefusedError
        return shape(**found)

    def _member(self, member: Member, tree: Placed, path: str) -> object:
        if not member.is_list:
            return self._single(member.kind, member.limits, tree, path)
        if not isinstance(tree, ListNode):
            raise self._refuse(path, tree.span, "it is no list")
        self._bounded(len(tree.items), member.limits, path, tree.span, "entries")
        each = member.limits.each or Limits()
        return tuple(self._single(member.kind, each, one, f"{path}[{at}]") for at, one in enumerate(tree.items))

    def _single(self, kind: type[Any], limits: Limits, tree: Placed, path: str) -> object:
        if kind not in _KINDS:
            return self._structure(kind, tree, path)
        if not isinstance(tree, Leaf):
            raise self._refuse(path, tree.span, f"it is not {_KINDS[kind]}")
        value = self._scalar(kind, tree)
        if value is None:
            raise self._refuse(path, tree.span, f"`{tree.text}` is not {_KINDS[kind]}")
        if isinstance(value, str):
            self._text(value, limits, path, tree.span)
        elif kind is int:
            self._bounded(value, limits, path, tree.span, None)
        return value

    def _scalar(self, kind: type[Any], leaf: Leaf) -> str | int | None:
        value = leaf.value
        if kind is str:
            return leaf.text if isinstance(value, str) or (self._spelling.is_lenient and value is not None) else None
        if kind is bool:
            is_text = self._spelling.is_lenient and isinstance(value, str)
            return value if isinstance(value, bool) else _TRUTH.get(leaf.text) if is_text else None
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        return int(leaf.text) if self._spelling.is_lenient and isinstance(value, str) and _NUMBER(leaf.text) else None

    def _text(self, value: str, limits: Limits, path: str, span: Span) -> None:
        if limits.values and value not in limits.values:
            near = get_close_matches(value, limits.values, 1)
            self._fault(
                path,
                span,
                f"`{value}` is none of {_listed(limits.values)}",
                f"did you mean `{near[0]}`?" if near else None,
            )
            return
        self._bounded(len(value), limits, path, span, "characters")
        if limits.pattern is not None and re.fullmatch(limits.pattern, value) is None:
            self._fault(path, span, f"`{value}` is not of the form `{limits.pattern}`")

    def _bounded(self, count: int, limits: Limits, path: str, span: Span, unit: str | None) -> None:
        said = f"{count} {unit}" if unit else f"`{count}`"
        if limits.least is not None and count < limits.least:
            self._fault(path, span, f"{said} is less than {limits.least}")
        if limits.most is not None and count > limits.most:
            self._fault(path, span, f"{said} is more than {limits.most}")

    def _unknown(self, path: str, span: Span, key: str, known: tuple[str, ...]) -> None:
        near = get_close_matches(key, known, 1)
        advice = f"did you mean `{near[0]}`?" if near else f"known here: {_listed(known)}"
        self.faults.append(Fault(path, span, f"`{key}` is no field of it", advice, is_unknown=True))

    def _fault(self, path: str, span: Span, message: str, advice: str | None = None) -> None:
        self.faults.append(Fault(path, span, message, advice))

    def _refuse(self, path: str, span: Span, message: str) -> _RefusedError:
        self._fault(path, span, message)
        return _RefusedError()


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
