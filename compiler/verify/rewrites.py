"""Where two branches of routes make the same path of one: the rewrites of ADR 0053 as functions that are compared."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Regex, Segments
from meshproof.compiler.ir.predicate import Always, Never, Path, Predicate, Test, disjunction
from meshproof.compiler.ir.routing import Branch


@dataclass(frozen=True, slots=True)
class Kept:
    """The path goes on as it is."""


@dataclass(frozen=True, slots=True)
class Whole:
    """Another path stands in its place."""

    path: str


@dataclass(frozen=True, slots=True)
class Below:
    """The first `count` pieces between slashes (the empty one in front is one) are replaced by `base`."""

    base: str
    count: int


@dataclass(frozen=True, slots=True)
class Behind:
    """The characters of `start`, with which the path begins, are replaced by `base`."""

    base: str
    start: str


Rewrite: TypeAlias = Kept | Whole | Below | Behind


def rewrite_of(branch: Branch) -> Rewrite:
    """What a branch makes of a path that it takes."""
    text = branch.settings.rewrite_path
    match branch.path:
        case _ if text is None:
            return Kept()
        case Segments(pattern) if pattern.endswith("/**"):
            return Below(text.removesuffix("/"), len(pattern.split("/")) - 1)
        case Prefix(start):
            return Behind(text, start)
        case _:
            return Whole(text or "/")


def agreement(one: Rewrite, other: Rewrite) -> Predicate | None:
    """Where both make the same of a path that both branches take, None if that cannot be said.

    Of all paths that the branches take: it may hold of others too.
    """
    if _order(one) > _order(other):
        one, other = other, one
    match one, other:
        case Kept(), Kept():
            return Always()
        case Kept(), Whole(path):
            return _is(Exact(path))
        case Kept(), Below(base, count):
            return _behind(base) if len(base.split("/")) == count else Never()
        case Kept(), Behind(base, start):
            return Always() if base == start else _is(Exact("/")) if (base, start) == ("", "/") else Never()
        case Whole(path), Whole(another):
            return Always() if path == another else Never()
        case Whole(path), Below(base, count):
            return _below_whole(base, count, path)
        case Whole(path), Behind(base, start):
            return _behind_whole(base, start, path)
        case Below(), Below():
            return _below_both(one, other) if one.count <= other.count else _below_both(other, one)
        case Below(base, count), Behind(another, start):
            return _below_behind((base, count), (another, start))
        case Behind(), Behind():
            longer, shorter = (one, other) if len(one.start) > len(other.start) else (other, one)
            return _behind_both(longer, shorter)
        case _:
            return None


def _order(rewrite: Rewrite) -> int:
    return (Kept, Whole, Below, Behind).index(type(rewrite))


def _is(matcher: Matcher) -> Predicate:
    return Test(Path(), matcher)


def _behind(base: str) -> Predicate:
    """The paths that are `base` or below it."""
    return _is(Regex(rf"{re.escape(base)}(?:/.*)?")) if base else Always()


def _pieces(count: int) -> str:
    """An expression for the first pieces of a path that `/a/*/**` takes: all but the first are not empty."""
    return "/[^/]+" * (count - 1)


def _below_whole(base: str, count: int, path: str) -> Predicate:
    """Nothing is left behind the pieces and the base is the path, or what is left is what the path has behind it."""
    found: list[Predicate] = []
    if (base or "/") == path and count > 1:
        found.append(_is(Regex(_pieces(count))))
    if path.startswith(f"{base}/"):
        found.append(_is(Regex(_pieces(count) + re.escape(path[len(base) :]))))
    return disjunction(tuple(found))


def _behind_whole(base: str, start: str, path: str) -> Predicate:
    found: list[Predicate] = []
    if path.startswith(base) and path != base:
        found.append(_is(Exact(start + path[len(base) :])))
    if (base or "/") == path:
        found.append(_is(Exact(start)))
    return disjunction(tuple(found))


def _below_both(fewer: Below, more: Below) -> Predicate:
    """The pieces that one replaces and the other keeps are those by which their bases differ."""
    kept, pieces = fewer.base.split("/"), more.base.split("/")
    if len(kept) + more.count - fewer.count != len(pieces) or pieces[: len(kept)] != kept:
        return Never()
    middle = "".join(f"/{re.escape(piece)}" for piece in pieces[len(kept) :])
    return _is(Regex(rf"{_pieces(fewer.count)}{middle}(?:/.*)?")) if middle else Always()


def _below_behind(below: tuple[str, int], behind: tuple[str, str]) -> Predicate | None:
    """What both keep is the same text if the characters end where the pieces do, with their slash or before it."""
    base, count = below
    another, start = behind
    pieces = start.split("/")
    if len(pieces) == count + 1 and pieces[-1] == "" and all(pieces[1:-1]):
        return _same_front(f"{base}/", another, start)
    if len(pieces) == count and all(pieces[1:]):
        return _same_front(base, another, start)
    return None


def _same_front(base: str, another: str, start: str) -> Predicate:
    """Where two texts before the same rest are the same: nothing at all is `/`."""
    if base == another:
        return Always()
    return _is(Exact(start)) if {base, another} == {"", "/"} else Never()


def _behind_both(longer: Behind, shorter: Behind) -> Predicate | None:
    """Paths begin with the longer text, so the shorter rewrite keeps a known piece of it."""
    if not longer.start.startswith(shorter.start):
        return Never()  # no path begins with both
    kept = shorter.base + longer.start[len(shorter.start) :]
    if kept == longer.base:
        return Always()
    return _is(Exact(longer.start)) if {kept, longer.base} == {"", "/"} else Never()
