"""Cutting text into tokens.

What kind a piece of text is does not depend on what stands around it, with one exception: a word is a keyword where
the parser asks for that keyword, and a name everywhere else. So one regular expression finds the pieces, `classify`
says all that a word can be, and the parser takes the first of it that fits. It asks the whole stack, not the state
alone, as lark's contextual lexer does: a state's row holds what may follow anywhere the same state is reached from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

MAX_NAME_LENGTH = 63

RESERVED = frozenset(
    [
        *("all", "anyone", "authenticated", "plaintext", "internet", "namespace", "identity", "tagged"),
        *("except", "and", "or", "not", "in", "has", "when", "unless", "only", "no", "every", "at", "assume", "waive"),
    ]
)
"""The words that are never names, only quoted."""

# A path does not end at brackets and braces that it opened itself, three deep.
_NESTED = r"""[^\s#"{}()\[\]]"""
for _ in range(2):
    _NESTED = rf"(?:{_NESTED}|\{{{_NESTED}*\}}|\({_NESTED}*\)|\[{_NESTED}*\])"
_PATH = rf'/(?:[^\s#"{{}}()\[\]=]|=(?!>)|\{{{_NESTED}*\}}|\({_NESTED}*\)|\[{_NESTED}*\])*'

PATH_ALONE = re.compile(_PATH)
"""A path that stands unquoted, from its first character to its last."""

REGEX, STRING, WORD, PUNCTUATION, PATH, VALUE, COMMENT, BAD, END = range(1, 10)
"""The groups of `PIECE`."""

PIECE = re.compile(
    r"[ \t\r\n]*(?:"
    r'(re"[^"\n]*")'
    r'|("(?:[^"\\\n]|\\.)*")'
    r"|(\w(?:[\w.|-]*\w)?(?:/[\w*][\w.|*/-]*)?%?)"
    r"|(->|=>|==|!=|[{}()\[\],:=*])"
    rf"|({_PATH})"
    r"|(\$(?:[\w.|-]*\w)?)"
    r"|(\#[^\n]*)"
    r'|("[^\n]*|[^ \t\r\n])'
    r"|(\Z))",
    re.ASCII,
)

PUNCTUATION_TERMINALS = {
    "->": "ARROW",
    "=>": "GIVES",
    "==": "SAME",
    "!=": "DIFFERENT",
    "=": "EQUAL",
    ":": "COLON",
    ",": "COMMA",
    "{": "LBRACE",
    "}": "RBRACE",
    "(": "LPAR",
    ")": "RPAR",
    "[": "LSQB",
    "]": "RSQB",
    "*": "STAR",
}
"""What lark calls the signs."""

_DOTTED = ("source.ip", "client.ip", "token.issuer", "token.subject", "token.audience", "token.presenter")
_NAME = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?")
_VALUE = re.compile(r"\$[a-z](?:[a-z0-9-]*[a-z0-9])?")
_KINDS = (
    ("NUMBER", re.compile(r"\d+", re.ASCII)),
    ("PERCENT", re.compile(r"\d+%", re.ASCII)),
    ("DURATION", re.compile(r"\d+(?:ms|s|m|h)", re.ASCII)),
    ("DATE", re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)),
    ("STATUS_CLASS", re.compile(r"5xx")),
    ("CODE", re.compile(r"MP\d+", re.ASCII)),
    ("METHODS", re.compile(r"[A-Z][A-Z0-9_-]*(?:\|[A-Z][A-Z0-9_-]*)*")),
    ("GRPC_METHOD", re.compile(r"[A-Za-z_]\w*(?:\.\w+)*/(?:\*|[A-Za-z_]\w*)", re.ASCII)),
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text with its group in `PIECE`, for looking round after an error."""

    group: int
    text: str
    start: int
    end: int


def pieces(text: str, start: int, end: int | None = None) -> Iterator[Piece]:
    """The pieces from one place to another (the end of the text), without comments."""
    for match in PIECE.finditer(text, start, len(text) if end is None else end):
        group = match.lastindex
        assert group is not None
        if group == END:
            return
        if group != COMMENT:
            yield Piece(group, match[group], match.start(group), match.end(group))


@lru_cache(maxsize=1 << 16)
def classify(word: str) -> tuple[str, ...]:
    """The terminals that a word can be, best first; none if it can be nothing."""
    found = [name for name, pattern in _KINDS if pattern.fullmatch(word)]
    if word in _DOTTED:
        found.append("_" + word.replace(".", "_").upper())
    elif _NAME.fullmatch(word):
        found.append("_" + word.replace("-", "_").upper())
        if word not in RESERVED:
            found.append("NAME")
    return tuple(found)


def is_value(text: str) -> bool:
    """Whether `$…` is well formed."""
    return _VALUE.fullmatch(text) is not None


def is_bare_name(text: str) -> bool:
    """Whether a name may stand unquoted; a keyword may need quotes all the same where it would begin something else."""
    return _NAME.fullmatch(text) is not None and text not in RESERVED and len(text) <= MAX_NAME_LENGTH
