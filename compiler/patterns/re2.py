r"""A parser for the part of RE2's syntax whose meaning is exact here; all else is refused with its place.

Taken: literals, `.`, classes with POSIX and Perl names, `\x41`, `\x{41}`, `\Q…\E`, groups (also named, or with the
flags `i`, `s`, `m`, `U`), `|`, `* + ? {n,m}` up to 1000 (a lazy one matches the same whole texts), and the anchors
`^ $ \A \z`. Whoever is taken here is taken by RE2; the reverse need not hold. Source: re2/parse.cc, LikePerl.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from meshproof.compiler.patterns.charset import SCALARS, CharSet
from meshproof.compiler.patterns.re2_chars import (
    DOT,
    Cursor,
    check_literal,
    fold,
    parse_class,
    parse_escape,
    parse_perl_class,
)
from meshproof.compiler.patterns.refusal import PatternRefused, PatternTooLarge
from meshproof.compiler.patterns.regular import Alternate, BeginText, Chars, Concat, EndText, Node, Repeat

MAX_LENGTH = 4096
MAX_NESTING = 100
MAX_REPEAT = 1000
# RE2 turns a set into byte sequences and refuses programs over its memory limit; this stays well below it.
MAX_WEIGHT = 30_000
_ASCII_WEIGHT = 1
_UNICODE_WEIGHT = 12

_COUNT = re.compile(r"\{(\d+)(,(\d*))?\}")
_GROUP = re.compile(r"\(\?(?:P?<(?P<name>[A-Za-z_][A-Za-z0-9_]*)>|(?P<flags>[imsU]*(?:-[imsU]+)?)(?P<end>[:)]))")
_SUFFIXES = {"*": (0, None), "+": (1, None), "?": (0, 1)}


@dataclass(frozen=True, slots=True)
class _Flags:
    is_folded: bool = False
    is_dot_all: bool = False
    is_multi_line: bool = False

    def changed(self, text: str) -> _Flags:
        on, _, off = text.partition("-")
        return _Flags(
            "i" not in off and (self.is_folded or "i" in on),
            "s" not in off and (self.is_dot_all or "s" in on),
            "m" not in off and (self.is_multi_line or "m" in on),
        )


@dataclass(slots=True)
class _Parser:
    cursor: Cursor
    flags: _Flags
    names: set[str] = field(default_factory=set)
    depth: int = 0

    def alternation(self) -> Node:
        branches = [self.sequence()]
        while self.cursor.take("|"):
            branches.append(self.sequence())
        return branches[0] if len(branches) == 1 else Alternate(tuple(branches))

    def sequence(self) -> Node:
        parts: list[Node] = []
        can_repeat = False
        while not self.cursor.is_done and self.cursor.peek() not in "|)":
            count = self.repetition()
            if count is None:
                before = len(parts)
                self.item(parts)
                can_repeat = len(parts) > before
                continue
            position, least, most = count
            if not can_repeat:
                raise PatternRefused("there is nothing here to repeat", position)
            parts[-1] = Repeat(parts[-1], least, most)
            can_repeat = False
        return parts[0] if len(parts) == 1 else Concat(tuple(parts))

    def repetition(self) -> tuple[int, int, int | None] | None:
        """A repetition with its place, if one stands here. Lazy and greedy match the same whole texts."""
        position = self.cursor.position
        suffix = _SUFFIXES.get(self.cursor.peek())
        if suffix is not None:
            self.cursor.next()
            self.cursor.take("?")
            return position, *suffix
        found = _COUNT.match(self.cursor.text, position)
        if found is None:
            return None
        low, comma, high = found.groups()
        if any(len(digits) > 1 and digits[0] == "0" for digits in (low, high or "")):
            raise PatternRefused("RE2 reads a count with a leading zero as text", position)
        if max(len(low), len(high or "")) > len(str(MAX_REPEAT)):
            raise PatternRefused(f"a repetition is at most {MAX_REPEAT}", position)
        least = int(low)
        most = least if comma is None else int(high) if high else None
        if max(least, most or 0) > MAX_REPEAT:
            raise PatternRefused(f"a repetition is at most {MAX_REPEAT}", position)
        if most is not None and most < least:
            raise PatternRefused("this repetition runs backwards", position)
        self.cursor.position = found.end()
        self.cursor.take("?")
        return position, least, most

    def item(self, parts: list[Node]) -> None:
        r"""Add what stands here to `parts`: one node, or several for `\Q…\E`, or none for a change of flags."""
        cursor = self.cursor
        position = cursor.position
        match cursor.peek():
            case "(":
                group = self.group()
                if group is not None:
                    parts.append(group)
            case "[":
                parts.append(Chars(parse_class(cursor, is_folded=self.flags.is_folded)))
            case ".":
                cursor.next()
                parts.append(Chars(SCALARS if self.flags.is_dot_all else DOT))
            case "^" | "$":
                if self.flags.is_multi_line:
                    raise PatternRefused("line anchors are not supported; a value is matched as a whole", position)
                parts.append(BeginText() if cursor.next() == "^" else EndText())
            case "\\":
                self.escape(parts)
            case _:
                parts.append(self.char(check_literal(cursor.next(), position), position))

    def escape(self, parts: list[Node]) -> None:
        cursor = self.cursor
        position = cursor.position
        if cursor.take(r"\A"):
            parts.append(BeginText())
        elif cursor.take(r"\z"):
            parts.append(EndText())
        elif cursor.take(r"\Q"):
            while not cursor.is_done and not cursor.take(r"\E"):
                place = cursor.position
                parts.append(self.char(check_literal(cursor.next(), place), place))
        else:
            perl = parse_perl_class(cursor, is_folded=self.flags.is_folded)
            parts.append(self.char(parse_escape(cursor), position) if perl is None else Chars(perl))

    def char(self, code: int, position: int) -> Chars:
        return Chars(fold(((code, code),), is_folded=self.flags.is_folded, position=position))

    def group(self) -> Node | None:
        """A group; None for flags that hold from here to the end of the group around them."""
        cursor = self.cursor
        start = cursor.position
        outer = self.flags
        if cursor.peek(2) == "(?":
            self.group_opening(start)
            if cursor.text[cursor.position - 1] == ")":
                return None
        else:
            cursor.next()
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise PatternRefused(f"groups nest deeper than {MAX_NESTING}", start)
        inside = self.alternation()
        self.depth -= 1
        if not cursor.take(")"):
            raise PatternRefused("this `(` is never closed", start)
        self.flags = outer
        return inside

    def group_opening(self, start: int) -> None:
        found = _GROUP.match(self.cursor.text, start)
        if found is None:
            raise PatternRefused("this kind of group is not supported", start)
        name, flags = found["name"], found["flags"]
        if name is not None:
            if name in self.names:
                raise PatternRefused(f"there are two groups `{name}`", start)
            self.names.add(name)
        elif found["end"] == ")" and not flags:
            raise PatternRefused("this kind of group is not supported", start)
        else:
            self.flags = self.flags.changed(flags)
        self.cursor.position = found.end()


def parse_regex(text: str, *, ignore_case: bool = False) -> Node:
    """The tree of an expression that matches whole texts.

    Raises PatternRefused with the place of what is not taken, PatternTooLarge for what RE2 itself might refuse.
    """
    if len(text) > MAX_LENGTH:
        raise PatternTooLarge(f"the expression is longer than {MAX_LENGTH} characters")
    parser = _Parser(Cursor(text), _Flags(is_folded=ignore_case))
    node = parser.alternation()
    if not parser.cursor.is_done:
        raise PatternRefused("this `)` closes nothing", parser.cursor.position)
    _check_size(node)
    return node


def _check_size(node: Node) -> None:
    if _nested_repeat(node) > MAX_REPEAT:
        raise PatternTooLarge(f"nested repetitions multiply to more than {MAX_REPEAT}")
    if _weight(node) > MAX_WEIGHT:
        raise PatternTooLarge("the expression is too large when its repetitions are written out")


def _nested_repeat(node: Node) -> int:
    """The largest product of counts on the way to a leaf, which RE2 keeps to 1000 (parse.cc, RepetitionWalker)."""
    match node:
        case Concat(parts) | Alternate(parts):
            return max(map(_nested_repeat, parts), default=1)
        case Repeat(part, least, most):
            return max(least, most or 0, 1) * _nested_repeat(part)
        case _:
            return 1


def _weight(node: Node) -> int:
    """At least the number of instructions of RE2's program for the node."""
    match node:
        case Chars(chars):
            return 1 + sum(_range_weight(chars, index) for index in range(len(chars)))
        case Concat(parts) | Alternate(parts):
            return 2 + sum(1 + _weight(part) for part in parts)
        case Repeat(part, least, most):
            return 2 + max(least, most or 0, 1) * (_weight(part) + 1)
        case _:
            return 1


def _range_weight(chars: CharSet, index: int) -> int:
    return _ASCII_WEIGHT if chars[index][1] <= ord("\x7f") else _UNICODE_WEIGHT
