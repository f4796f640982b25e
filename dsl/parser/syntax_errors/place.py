"""What stands round the place where parsing stopped."""

from __future__ import annotations

import re
from functools import cached_property

from meshproof.dsl.parser import lexer
from meshproof.dsl.parser.engine import CLOSING, OPENING, Trouble
from meshproof.dsl.parser.lexer import Piece, pieces
from meshproof.dsl.source import SourceFile, Span

CLAUSES = frozenset({"when", "unless", "because", "owner", "until", "via", "env", "tags"})
"""The words that clauses begin with."""

_RUN = re.compile(r'[^\s{}"#]+')


class Place:
    """The piece that does not fit, with what stands before and after it."""

    def __init__(self, trouble: Trouble, source: SourceFile) -> None:
        self.trouble = trouble
        self.piece = trouble.piece
        self.text = trouble.piece.text
        self.expected = trouble.expected
        self._source = source

    @cached_property
    def before(self) -> tuple[Piece, ...]:
        """The pieces of the statement before this one."""
        return tuple(pieces(self._source.text, self.trouble.statement, self.piece.start))

    @cached_property
    def following(self) -> tuple[Piece, ...]:
        """The next few pieces after this one."""
        found = []
        for piece in pieces(self._source.text, self.piece.end):
            found.append(piece)
            if len(found) == 8:  # noqa: PLR2004 - enough for a line of methods
                break
        return tuple(found)

    @cached_property
    def level(self) -> tuple[Piece, ...]:
        """The pieces before this one in the same brackets, nearest first, inner brackets left out."""
        found = []
        depth = 0
        for piece in reversed(self.before):
            if piece.text in CLOSING:
                depth += 1
            elif piece.text in OPENING:
                if depth == 0:
                    break
                depth -= 1
            elif depth == 0:
                found.append(piece)
        return tuple(found)

    @property
    def previous(self) -> Piece | None:
        """The piece before this one, in the same statement."""
        return self.before[-1] if self.before else None

    @property
    def keyword(self) -> str:
        """The word that the statement begins with."""
        return self.before[0].text if self.before else self.text

    @property
    def is_word(self) -> bool:
        """Whether it is a word or number."""
        return self.piece.group == lexer.WORD

    @property
    def is_end(self) -> bool:
        """Whether the text ended."""
        return self.piece.group == lexer.END

    @property
    def is_first_on_line(self) -> bool:
        """Whether only blanks stand before it on its line."""
        line_start = self._source.text.rfind("\n", 0, self.piece.start) + 1
        return not self._source.text[line_start : self.piece.start].strip()

    @property
    def run(self) -> str:
        """All characters from here to the next blank, brace, quote or comment."""
        match = _RUN.match(self._source.text, self.piece.start)
        return match[0] if match else self.text

    @property
    def span(self) -> Span:
        """Where the piece is; at the end of the text, its last character."""
        if not self.is_end:
            return self.at(self.piece.start, self.piece.end)
        end = len(self._source.text.rstrip())
        return self.at(max(end - 1, 0), end)

    def at(self, start: int, end: int) -> Span:
        """A place in this file."""
        return Span(self._source.path, start, end)

    def of(self, piece: Piece) -> Span:
        """Where a piece is."""
        return self.at(piece.start, piece.end)

    def bracket(self, start: int) -> str:
        """The bracket at a place."""
        return self._source.text[start]

    def word_at(self, start: int) -> str:
        """The word that begins at a place."""
        return next(pieces(self._source.text, start)).text
