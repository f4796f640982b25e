"""`rewrite.uriRegexRewrite` as a rewrite of the IR, where that makes the same of every path that a match takes.

Envoy puts the substitution in place of every part of the path that the expression finds; the query is kept. Modelled
are expressions for the whole path: a start (plain text, or pieces between slashes of which some may be anything) with
the rest behind it as group 1, and `^.*$`. Where the path does not begin so Envoy changes nothing, and the IR has no
word for that; so a match must take such paths alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Regex, Segments, Suffix
from meshproof.compiler.ir.names import Origin
from meshproof.compiler.patterns import pattern as patterns
from meshproof.compiler.patterns.automaton import includes
from meshproof.compiler.patterns.refusal import PatternRefused, PatternTooLarge
from meshproof.compiler.patterns.segments import parse_segments
from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.values import mapping, origin_of, text

_CHARACTER = r"(?:[^\\.+*?()|\[\]{}^$]|\\[^0-9A-Za-z\\])"
_START = rf"(?:{_CHARACTER}|\[\^/\]\+)*"
_EXPRESSION = re.compile(rf"\^(?P<start>{_START})(?P<slash>/\?)?\(\.\*\)\$")
_PIECES = re.compile(r"(?:/(?:\0|[^/\0]+))*")
_WHOLE = "^.*$"
_ANY_PIECE = "[^/]+"


@dataclass(frozen=True, slots=True)
class RegexRewrite:
    """The expression and what is put in its place."""

    expression: str
    substitution: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class PathRewrite:
    """What the IR has for it: `path` replaces what `taken` says of the path, all of it if that is None."""

    taken: Matcher | None
    path: str


def regex_rewrite_of(rule: MapNode) -> RegexRewrite | None:
    """What a rule of a VirtualService says of it."""
    node = rule.at("rewrite", "uriRegexRewrite")
    if node is None:
        return None
    parts = mapping(node)
    return RegexRewrite(text(parts.get("match")) or "", text(parts.get("rewrite")) or "", origin_of(node))


def settled(rewrite: RegexRewrite, taken: Matcher | None) -> PathRewrite | None:
    """The rewrite for the paths of a match (None: all); None where the IR cannot say it."""
    kept = rewrite.substitution.removesuffix(r"\1")
    if "\\" in kept:
        return None
    if rewrite.expression == _WHOLE:
        return PathRewrite(None, kept) if kept == rewrite.substitution and kept.startswith("/") else None
    found = _EXPRESSION.fullmatch(rewrite.expression)
    if found is None or kept == rewrite.substitution:
        return None
    said = _behind(found["start"], kept, has_slash=found["slash"] is not None)
    return said if said is not None and _is_within(taken, said.taken) else None


def _behind(start: str, kept: str, *, has_slash: bool) -> PathRewrite | None:
    """What puts `kept` in place of the start, and of a slash behind it if it `has_slash`."""
    if has_slash:
        pieces = _pieces(start)
        return PathRewrite(Segments(f"{pieces}/**"), "/") if pieces is not None and kept == "/" else None
    if not kept.startswith("/"):
        return None
    if _ANY_PIECE not in start:
        return PathRewrite(Prefix(_unquoted(start)), kept)
    pieces = _pieces(start)
    is_said = pieces is not None and not kept.endswith("/")
    return PathRewrite(Segments(f"{pieces}/**"), kept) if is_said else None


def _pieces(start: str) -> str | None:
    """The start as a pattern of whole segments."""
    plain = _unquoted(start.replace(_ANY_PIECE, "\0"))
    is_said = _PIECES.fullmatch(plain) is not None and not set(plain) & set("*{}")
    return plain.replace("\0", "*") if is_said else None


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _is_within(taken: Matcher | None, said: Matcher | None) -> bool:
    """Whether a match takes only paths of which the rewrite is said."""
    try:
        return includes(patterns.to_automaton(_pattern(said)), patterns.to_automaton(_pattern(taken)))
    except (PatternRefused, PatternTooLarge):
        return False


def _pattern(matcher: Matcher | None) -> patterns.Pattern:
    match matcher:
        case Exact(value, ignore_case):
            return patterns.Exact(value, ignore_case)
        case Prefix(value, ignore_case):
            return patterns.Prefix(value, ignore_case)
        case Suffix(value, ignore_case):
            return patterns.Suffix(value, ignore_case)
        case Regex(expression):
            return patterns.Regex(expression)
        case Segments(pattern):
            return parse_segments(pattern)
        case _:
            return patterns.AnyText()
