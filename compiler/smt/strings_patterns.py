"""Patterns and the domains of attributes in SMT-LIB's theory of strings, for the second opinion on verdicts.

Nothing here knows of classes or automata: segment patterns and domains are written out again from the reference. Only
RE2 expressions are read by the parser that the first encoding uses too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from meshproof.compiler.ir.matchers import Cidr, Exact, Matcher, Prefix, Present, Regex, Segments, Suffix, Template
from meshproof.compiler.patterns.re2 import parse_regex
from meshproof.compiler.patterns.regular import Alternate, BeginText, Chars, Concat, EndText, Node, Repeat

_LAST = 0x2FFFF  # the last character of SMT-LIB's strings


class NotCovered(Exception):  # noqa: N818  it is an outcome, not a fault
    """The second encoding does not speak of this."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def quoted(text: str) -> str:
    """A string literal."""
    plain = (char if " " <= char <= "~" and char not in '"\\' else f"\\u{{{ord(char):x}}}" for char in text)
    return '"' + "".join(plain) + '"'


def passes(matcher: Matcher, value: str) -> str:
    """The term that a string, itself a term, passes the matcher. Raises NotCovered."""
    match matcher:
        case Present():
            return "true"
        case Exact(text, False):
            return f"(= {value} {quoted(text)})"
        case Prefix(text, False):
            return f"(str.prefixof {quoted(text)} {value})"
        case Suffix(text, False):
            return f"(str.suffixof {quoted(text)} {value})"
        case Exact(text):
            return _is_in(value, _folded(text))
        case Prefix(text):
            return _is_in(value, sequence((_folded(text), "re.all")))
        case Suffix(text):
            return _is_in(value, sequence(("re.all", _folded(text))))
        case Segments(text):
            return _is_in(value, _segments(text))
        case Regex(text):
            return _is_in(value, _expression(parse_regex(text)))
        case Template() | Cidr():
            raise NotCovered(f"a pattern of the kind {type(matcher).__name__.lower()}")
        case _:
            assert_never(matcher)


def sequence(parts: Iterable[str]) -> str:
    """The expressions one after the other."""
    found = tuple(parts)
    if len(found) < 2:  # noqa: PLR2004
        return found[0] if found else '(str.to_re "")'
    return f"(re.++ {' '.join(found)})"


def _is_in(value: str, expression: str) -> str:
    return f"(str.in_re {value} {expression})"


def _folded(text: str) -> str:
    """The text with ASCII letters in either case."""
    return sequence(
        f"(re.union {_word(char.lower())} {_word(char.upper())})" if char.isascii() and char.isalpha() else _word(char)
        for char in text
    )


def _word(text: str) -> str:
    return f"(str.to_re {quoted(text)})"


_NOT_SLASH = f"(re.diff re.allchar {_word('/')})"


def _segments(text: str) -> str:
    """`*` and `{name}` are one segment that is not empty; `/a/**` is `/a`, `/a/` and all below."""
    pieces = text.split("/")[1:]
    has_rest = pieces[-1] == "**"
    if has_rest:
        pieces = pieces[:-1]
    parts = []
    for piece in pieces:
        is_any = piece == "*" or piece.startswith("{")
        parts += [_word("/"), f"(re.+ {_NOT_SLASH})" if is_any else _word(piece)]
    if has_rest:
        below = sequence((_word("/"), "re.all"))
        parts.append(below if not pieces else f"(re.opt {below})")
    return sequence(parts)


def _expression(node: Node) -> str:
    match node:
        case Chars(charset):
            ranges = [(low, min(high, _LAST)) for low, high in charset if low <= _LAST]
            return _union([f"(re.range {quoted(chr(low))} {quoted(chr(high))})" for low, high in ranges])
        case Concat(parts):
            return sequence(map(_expression, parts))
        case Alternate(parts):
            return _union([_expression(part) for part in parts])
        case Repeat(part, 0, None):
            return f"(re.* {_expression(part)})"
        case Repeat(part, least, None):
            again = _expression(part)
            return sequence((*([again] * least), f"(re.* {again})"))
        case Repeat(part, least, most) if most is not None:
            return f"((_ re.loop {least} {most}) {_expression(part)})"
        case BeginText() | EndText():
            raise NotCovered("an anchor in an expression")
        case _:
            raise AssertionError(node)


def _union(parts: list[str]) -> str:
    if not parts:
        return "re.none"
    return parts[0] if len(parts) == 1 else f"(re.union {' '.join(parts)})"


def _of(regex: str) -> str:
    return _expression(parse_regex(regex))


def is_normal_path(value: str) -> str:
    """A path after step 2 of "What happens to a request": what is refused or would be changed there is none."""
    escape = "%[0-9A-Fa-f]{2}"
    char = _of(f"(?:[!$&-.0-9:;<=>@A-Z\\[\\]^_`a-z|{{}}~'\"]|{escape})")
    refused = _of("%(?:00|2[Ff]|5[Cc])")
    decoded = _of("%(?:2[DdEe]|3[0-9]|4[1-9A-Fa-f]|5[0-9AaFf]|6[1-9A-Fa-f]|7[0-9AaEe])")
    segment = f"(re.+ {char})"
    shape = sequence((_word("/"), f"(re.* {sequence((segment, _word('/')))})", f"(re.opt {segment})"))
    dots = sequence(("re.all", _of("/\\.\\.?"), f"(re.opt {sequence((_word('/'), 're.all'))})"))
    wrong = [sequence(("re.all", one, "re.all")) for one in (refused, decoded)]
    parts = [_is_in(value, shape), *(f"(not {_is_in(value, one)})" for one in (*wrong, dots))]
    return f"(and {' '.join(parts)})"


def is_method(value: str) -> str:
    """A token of RFC 9110; CONNECT is refused."""
    token = _of("[!#$%&'*+.^_`|~0-9A-Za-z-]+")
    return f'(and {_is_in(value, token)} (not (= {value} "CONNECT")))'


def is_host(value: str) -> str:
    """A host in lower case (RFC 3986 §3.2.2), without port."""
    return _is_in(value, _of(r"[a-z0-9._~!$&'()*+,;=%-]+|\[[a-z0-9:._~!$&'()*+,;=%-]+\]"))


def is_header_value(value: str) -> str:
    """A field value (RFC 9110 §5.5): no control characters but tabs, no blank or tab at its ends."""
    return _is_in(value, _of("(?:[^\\x00-\\x20\\x7f](?:[^\\x00-\\x08\\x0a-\\x1f\\x7f]*[^\\x00-\\x20\\x7f])?)?"))


def is_query_value(value: str) -> str:
    """The value of a query parameter as it is sent."""
    return _is_in(value, _of(r"[\x21\x22\x24\x25\x27-\x7E]*"))


def is_identity(value: str, domains: Iterable[str]) -> str:
    """The SPIFFE ID of a workload in one of the trust domains."""
    names = _union([_word(name) for name in domains])
    ids = sequence((_word("spiffe://"), names, f"(re.+ {_of('/[a-zA-Z0-9._-]+')})"))
    dots = sequence(("re.all", _of("/\\.\\.?"), f"(re.opt {sequence((_word('/'), 're.all'))})"))
    return f"(and {_is_in(value, ids)} (not {_is_in(value, dots)}))"
