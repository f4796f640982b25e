"""Istio's path templates `{*}` and `{**}`, which Envoy's `uri_template` matches (Istio's matcher/template.go).

`{*}` is one or more characters of a segment, `{**}` any number of those and of slashes. The whole path is matched.
Envoy 1.40 was asked about every character: the operators take `*` too, which a template cannot hold itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.patterns import charset
from meshproof.compiler.patterns.refusal import PatternRefused
from meshproof.compiler.patterns.regular import Chars, Concat, Node, Repeat, literal

_LETTERS_AND_DIGITS = ((ord("0"), ord("9")), (ord("A"), ord("Z")), (ord("a"), ord("z")))
LITERAL_CHARS = charset.union((*_LETTERS_AND_DIGITS, *charset.of("-._~%!$&'()+,;:@=")))
SEGMENT_CHARS = charset.union((*LITERAL_CHARS, *charset.of("*")))
PATH_CHARS = charset.union((*SEGMENT_CHARS, *charset.of("/")))
ONE = "{*}"
REST = "{**}"


@dataclass(frozen=True, slots=True)
class Template:
    """A template that `parse_template` has accepted, as it is written."""

    text: str

    def matches(self, path: str) -> bool:
        """Whether the whole path matches."""
        return _match(tuple(_pieces(self.text)), path)

    def expression(self) -> Node:
        """The template as a regular expression."""
        return Concat(tuple(_piece_expression(piece) for piece in _pieces(self.text)))


def is_template(text: str) -> bool:
    """Whether Istio reads a `paths` value as a template rather than as a string with `*`."""
    return ONE in text or REST in text


def parse_template(text: str) -> Template:
    """Read a template as Istio's CheckValidPathTemplate does; raises PatternRefused with the character."""
    if not text.startswith("/"):
        raise PatternRefused("a path template begins with `/`")
    position = 1
    has_rest = False
    if "//" in text.strip("/"):
        raise PatternRefused("a segment inside of a path template is not empty", text.index("//", 1) + 1)
    for piece in text[1:].split("/"):
        if piece in {ONE, REST}:
            if has_rest:
                raise PatternRefused("no operator follows `{**}`", position)
            has_rest = piece == REST
        else:
            _check_literal(piece, position)
        position += len(piece) + 1
    return Template(text)


def _check_literal(piece: str, position: int) -> None:
    for offset, char in enumerate(piece):
        if not _contains(LITERAL_CHARS, char):
            reason = "an operator is a whole segment" if char in "*{}" else f"`{char}` cannot stand in a template"
            raise PatternRefused(reason, position + offset)


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    for segment in text[1:].split("/"):
        pieces += ["/", segment]
    return pieces


def _piece_expression(piece: str) -> Node:
    if piece == ONE:
        return Repeat(Chars(SEGMENT_CHARS), 1, None)
    if piece == REST:
        return Repeat(Chars(PATH_CHARS), 0, None)
    return literal(piece)


def _contains(chars: charset.CharSet, char: str) -> bool:
    return any(low <= ord(char) <= high for low, high in chars)


def _match(pieces: tuple[str, ...], text: str) -> bool:
    """Match from the set of places where each piece may end."""
    places = {0}
    for piece in pieces:
        if piece in {ONE, REST}:
            places = _spread(places, text, PATH_CHARS if piece == REST else SEGMENT_CHARS, least=int(piece == ONE))
        else:
            places = {place + len(piece) for place in places if text.startswith(piece, place)}
    return len(text) in places


def _spread(places: set[int], text: str, chars: charset.CharSet, *, least: int) -> set[int]:
    ends: set[int] = set()
    for place in places:
        end = place
        while True:
            if end - place >= least:
                ends.add(end)
            if end == len(text) or not _contains(chars, text[end]):
                break
            end += 1
    return ends
