"""Characters, escapes and character classes of RE2 (github.com/google/re2/wiki/Syntax, re2/parse.cc).

RE2's named classes are ASCII. Case folding is taken for ASCII letters alone, where it cannot depend on the Unicode
version: `k` folds with U+212A and `s` with U+017F. All else that could differ is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.patterns import charset
from meshproof.compiler.patterns.charset import LAST, SCALARS, CharSet
from meshproof.compiler.patterns.normal_form import HEX_DIGITS
from meshproof.compiler.patterns.refusal import PatternRefused

_DIGIT: CharSet = ((0x30, 0x39),)
_UPPER: CharSet = ((0x41, 0x5A),)
_LOWER: CharSet = ((0x61, 0x7A),)
_ALPHA: CharSet = (*_UPPER, *_LOWER)
_ALNUM: CharSet = (*_DIGIT, *_ALPHA)
_WORD: CharSet = charset.union((*_ALNUM, (0x5F, 0x5F)))
_PERL: dict[str, CharSet] = {"d": _DIGIT, "s": ((0x09, 0x0A), (0x0C, 0x0D), (0x20, 0x20)), "w": _WORD}
_POSIX: dict[str, CharSet] = {
    "alnum": _ALNUM,
    "alpha": _ALPHA,
    "ascii": ((0x00, 0x7F),),
    "blank": ((0x09, 0x09), (0x20, 0x20)),
    "cntrl": ((0x00, 0x1F), (0x7F, 0x7F)),
    "digit": _DIGIT,
    "graph": ((0x21, 0x7E),),
    "lower": _LOWER,
    "print": ((0x20, 0x7E),),
    "punct": ((0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)),
    "space": ((0x09, 0x0D), (0x20, 0x20)),
    "upper": _UPPER,
    "word": _WORD,
    "xdigit": (*_DIGIT, (0x41, 0x46), (0x61, 0x66)),
}
_NAMED_ESCAPES = {"a": 0x07, "f": 0x0C, "n": 0x0A, "r": 0x0D, "t": 0x09, "v": 0x0B}
_FOLDS = {ord("k"): 0x212A, ord("K"): 0x212A, ord("s"): 0x17F, ord("S"): 0x17F}
_SURROGATES = range(0xD800, 0xE000)
DOT: CharSet = charset.difference(SCALARS, charset.of("\n"))


@dataclass(slots=True)
class Cursor:
    """A place in the text of an expression."""

    text: str
    position: int = 0

    @property
    def is_done(self) -> bool:
        """Whether nothing is left."""
        return self.position >= len(self.text)

    def peek(self, length: int = 1) -> str:
        """The next characters, fewer at the end."""
        return self.text[self.position : self.position + length]

    def take(self, prefix: str) -> bool:
        """Step over `prefix` if it stands here."""
        if self.text.startswith(prefix, self.position):
            self.position += len(prefix)
            return True
        return False

    def next(self) -> str:
        """Step over one character and give it."""
        char = self.text[self.position]
        self.position += 1
        return char


def negate(chars: CharSet) -> CharSet:
    """The characters of text that are not in the set, line ends too; never surrogates, which RE2 cannot match."""
    return charset.difference(SCALARS, chars)


def fold(chars: CharSet, *, is_folded: bool, position: int) -> CharSet:
    """The set with every case of its letters, if `is_folded`; refused there for anything outside ASCII."""
    if not is_folded:
        return chars
    if chars and chars[-1][1] > ord("\x7f"):
        raise PatternRefused("without case, only ASCII has one meaning in all versions of Unicode", position)
    more = [(other, other) for code, other in _FOLDS.items() if charset.intersection(chars, ((code, code),))]
    return charset.union([*charset.fold_ascii(chars), *more])


def check_literal(char: str, position: int) -> int:
    """The code point of a character that stands for itself."""
    if ord(char) in _SURROGATES:
        raise PatternRefused("a surrogate is no character", position)
    return ord(char)


def parse_perl_class(cursor: Cursor, *, is_folded: bool) -> CharSet | None:
    r"""`\d`, `\s`, `\w` and their negations, if one stands here."""
    pair = cursor.peek(2)
    if len(pair) < len(r"\d") or pair[0] != "\\" or pair[1].lower() not in _PERL:
        return None
    position = cursor.position
    cursor.position += len(pair)
    chars = fold(_PERL[pair[1].lower()], is_folded=is_folded, position=position)
    return chars if pair[1].islower() else negate(chars)


def parse_escape(cursor: Cursor) -> int:
    """The code point that an escape stands for; the cursor is at the backslash."""
    position = cursor.position
    cursor.next()
    if cursor.is_done:
        raise PatternRefused("a backslash stands at the end", position)
    char = cursor.next()
    if char in _NAMED_ESCAPES:
        return _NAMED_ESCAPES[char]
    if char == "x":
        return _parse_hex(cursor, position)
    if char.isascii() and char.isprintable() and not char.isalnum() and char != "_":
        return ord(char)
    raise PatternRefused(_escape_refusal(char), position)


def _escape_refusal(char: str) -> str:
    if char in "pP":
        return rf"`\{char}` depends on the version of Unicode; list the characters"
    if char in "bB":
        return rf"`\{char}` (word boundary) is not supported; name the characters on both sides"
    if char in "123456789":
        return "RE2 has no back-references"
    return rf"`\{char}` is not supported"


def _parse_hex(cursor: Cursor, position: int) -> int:
    if cursor.take("{"):
        end = cursor.text.find("}", cursor.position)
        digits = cursor.text[cursor.position : max(end, cursor.position)]
        cursor.position = end + 1
    else:
        digits = cursor.peek(2)
        cursor.position += len(digits)
        if len(digits) < len("41"):
            digits = ""
    if not digits or not HEX_DIGITS.issuperset(digits):
        raise PatternRefused(r"`\x` needs two hexadecimal digits, or any number in braces", position)
    code = int(digits, 16) if len(digits.lstrip("0")) <= len("10FFFF") else LAST + 1
    if code > LAST or code in _SURROGATES:
        raise PatternRefused("this is no Unicode character", position)
    return code


def parse_class(cursor: Cursor, *, is_folded: bool) -> CharSet:
    """A bracket expression; the cursor is at `[`."""
    start = cursor.position
    cursor.next()
    is_negated = cursor.take("^")
    chars: list[tuple[int, int]] = []
    first = cursor.position
    while not cursor.is_done and (cursor.peek() != "]" or cursor.position == first):
        chars += _parse_class_item(cursor, is_folded=is_folded)
    if not cursor.take("]"):
        raise PatternRefused("this `[` is never closed", start)
    found = charset.union(chars)
    return negate(found) if is_negated else found


def _parse_class_item(cursor: Cursor, *, is_folded: bool) -> CharSet:
    for parse in (_parse_posix_class, parse_perl_class):
        named = parse(cursor, is_folded=is_folded)
        if named is not None:
            return named
    position = cursor.position
    low = _parse_class_char(cursor)
    high = low
    ahead = cursor.peek(2)
    if len(ahead) == len("-z") and ahead[0] == "-" and ahead[1] != "]":
        cursor.next()
        high = _parse_class_char(cursor)
        if high < low:
            raise PatternRefused("this range runs backwards", position)
    return fold(charset.intersection(((low, high),), SCALARS), is_folded=is_folded, position=position)


def _parse_posix_class(cursor: Cursor, *, is_folded: bool) -> CharSet | None:
    if cursor.peek(2) != "[:":
        return None
    position = cursor.position
    end = cursor.text.find(":]", position + 2)
    if end == -1:
        return None
    name = cursor.text[position + 2 : end]
    chars = _POSIX.get(name.removeprefix("^"))
    if chars is None:
        raise PatternRefused(f"there is no class `[:{name}:]`", position)
    cursor.position = end + 2
    folded = fold(chars, is_folded=is_folded, position=position)
    return negate(folded) if name.startswith("^") else folded


def _parse_class_char(cursor: Cursor) -> int:
    if cursor.peek() == "\\":
        return parse_escape(cursor)
    position = cursor.position
    return check_literal(cursor.next(), position)
