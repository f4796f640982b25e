"""Running the parse table over a text, and going on after an error.

The builder's methods are called while the text is read, so no parse tree is made. A statement begins with a word: after
an error the rest of its statement is left out and parsing goes on at the next, so one run reports several errors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TypeAlias

from meshproof.dsl.ast.document import Comment
from meshproof.dsl.parser.lexer import (
    BAD,
    COMMENT,
    END,
    PATH,
    PIECE,
    PUNCTUATION,
    PUNCTUATION_TERMINALS,
    REGEX,
    STRING,
    VALUE,
    WORD,
    Piece,
    classify,
    is_value,
    pieces,
)
from meshproof.dsl.parser.table import END_TERMINAL, INLINE, LIST, ONE, PLAIN, Production, load
from meshproof.dsl.source import Span
from meshproof.dsl.tree_to_ast.files import TreeBuilder

OPENING = frozenset("{([")
CLOSING = frozenset("})]")
MAX_ERRORS = 50
"""How many errors of one file are worth reading."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Where parsing stopped.

    `piece` is what does not fit (its group is END at the end of the text), `expected` the terminals that would,
    `value` what was read whole just before it, `statement` where the statement begins, `opened` where brackets stand
    that are still open, `astray` the first word after the last of them that looks like a statement of its own.
    """

    piece: Piece
    expected: frozenset[str]
    value: object
    statement: int
    opened: tuple[int, ...]
    astray: int | None
    is_too_deep: bool = False


@dataclass(slots=True)
class _Stack:
    """The parser's stack: states, what was read in them, and where that began."""

    states: list[int]
    values: list[object] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)


_Step: TypeAlias = tuple[int, int, Callable[..., object], tuple[int, ...], tuple[int | None, ...], int]
"""What happens at the end of a production: length, origin, method, symbols kept, plan and case."""

# The groups whose text says what they are; all text of another group is the same to the parser.
_BY_TEXT = frozenset({WORD, PUNCTUATION, VALUE})


class Engine:
    """Parses one text once."""

    def __init__(self, builder: TreeBuilder, *, max_depth: int, statement_words: frozenset[str]) -> None:
        self._table = load()
        self._builder = builder
        self._text = builder.text
        self._file = builder.file
        self._max_depth = max_depth
        self._statement_words = statement_words
        self._terminals = {name: number for number, name in enumerate(self._table.terminals)}
        self._steps = _steps()
        self._astray: int | None = None
        self.comments: list[Comment] = []

    def parse(self, start: str, on_error: Callable[[Trouble], bool]) -> object | None:
        """What the start symbol's method made of the text.

        Each error is handed to `on_error`; where that says no, or nothing is left to go on with, the result is `None`.
        """
        stack = _Stack([self._table.starts[start]])
        end_state = self._table.ends[start]
        position = 0
        while True:
            result = self._run(stack, position, end_state)
            if not isinstance(result, Trouble):
                return result
            if not on_error(result) or result.is_too_deep:
                return None
            resumed = self._resume(stack, result)
            if resumed is None:
                return None
            position = resumed

    def _run(  # noqa: C901, PLR0912, PLR0915 - the hot loop: a call for each token would double its time
        self, stack: _Stack, position: int, end_state: int
    ) -> object:
        rows, steps, known = self._table.rows, self._steps, self._fixed()
        states, values, starts, opened = stack.states, stack.values, stack.starts, stack.opened
        text, builder = self._text, self._builder
        last_end = position
        for match in PIECE.finditer(text, position):
            group = match.lastindex
            assert group is not None
            piece = match[group]
            end = match.end()
            start = end - len(piece)
            if group == COMMENT:
                self.comments.append(Comment(piece[1:].rstrip(), span=Span(self._file, start, end)))
                continue
            candidates = known.get(piece if group in _BY_TEXT else group)
            if candidates is None:
                candidates = known[piece] = self._candidates(group, piece)
            if group == PUNCTUATION:
                if piece in OPENING:
                    opened.append(start)
                    if len(opened) > self._max_depth:
                        return self._trouble(stack, group, start, end, is_too_deep=True)
                elif piece in CLOSING and opened:
                    opened.pop()
            elif opened and group == WORD and self._astray is None and text[start - 1 : start] == "\n":
                self._note_astray(piece, start)
            row = rows[states[-1]]
            for terminal in candidates:
                if terminal in row:
                    break
            else:
                return self._trouble(stack, group, start, end)
            if candidates[-1] is not terminal and candidates[-1] in row and not self._is_accepted(stack, terminal):
                terminal = candidates[-1]
            while True:
                action = row.get(terminal)
                if action is None:
                    return self._trouble(stack, group, start, end)
                if action >= 0:
                    states.append(action)
                    values.append(piece)
                    starts.append(start)
                    last_end = end
                    break
                length, origin, method, kept, plan, case = steps[-1 - action]
                if case <= ONE:
                    if case == ONE:
                        values[-1] = method(builder, starts[-1], last_end, values[-1])
                    states[-1] = state = rows[states[-2]][origin]
                    if group == END and state == end_state:
                        return values[-1]
                    row = rows[state]
                    continue
                begin = last_end
                parts = []
                if length:
                    parts = values[-length:]
                    begin = starts[-length]
                    del values[-length:], starts[-length:], states[-length:]
                if case == INLINE:
                    value = parts[kept[0]]
                elif case == PLAIN:
                    value = method(builder, begin, last_end, *[parts[i] for i in kept])
                elif case == LIST:
                    value = _collect(parts, plan)
                else:
                    value = method(builder, begin, last_end, *_planned(parts, plan))
                state = rows[states[-1]][origin]
                states.append(state)
                values.append(value)
                starts.append(begin)
                if group == END and state == end_state:
                    return value
                row = rows[state]
        raise AssertionError("the pieces of a text end with its end")

    def _fixed(self) -> dict[str | int, tuple[int, ...]]:
        """The terminals of the groups whose text does not matter."""
        kinds = {STRING: "STRING", REGEX: "REGEX", PATH: "PATH", END: END_TERMINAL}
        return {BAD: (), **{group: (self._terminals[name],) for group, name in kinds.items()}}

    def _candidates(self, group: int, piece: str) -> tuple[int, ...]:
        if group == PUNCTUATION:
            names: tuple[str, ...] = (PUNCTUATION_TERMINALS[piece],)
        elif group == VALUE:
            names = ("VALUE",) if is_value(piece) else ()
        else:
            names = classify(piece)
        return tuple(self._terminals[name] for name in names if name in self._terminals)

    def _note_astray(self, word: str, start: int) -> None:
        if word in self._statement_words:
            self._astray = start

    def _trouble(self, stack: _Stack, group: int, start: int, end: int, *, is_too_deep: bool = False) -> Trouble:
        base = _base(stack)
        statement = stack.starts[base] if base < len(stack.starts) else start
        if group == WORD and self._text[start - 1 : start] == "\n" and stack.opened and self._astray is None:
            self._note_astray(self._text[start:end], start)
        astray = self._astray
        if astray is not None and (astray <= statement or not self._is_unbalanced(statement)):
            astray = None
        return Trouble(
            Piece(group, self._text[start:end], start, end),
            self._accepted(stack),
            stack.values[-1] if stack.values else None,
            statement,
            tuple(stack.opened),
            astray,
            is_too_deep,
        )

    def _accepted(self, stack: _Stack) -> frozenset[str]:
        """The terminals that may come next: a state's row alone also names some that only suit other contexts."""
        row = self._table.rows[stack.states[-1]]
        count = len(self._table.terminals)
        return frozenset(
            self._table.terminals[symbol] for symbol in row if symbol < count and self._is_accepted(stack, symbol)
        )

    def _is_accepted(self, stack: _Stack, terminal: int) -> bool:
        states = list(stack.states)
        while True:
            action = self._table.rows[states[-1]].get(terminal)
            if action is None:
                return False
            if action >= 0:
                return True
            length, origin = self._steps[-1 - action][:2]
            if length:
                del states[-length:]
            following = self._table.rows[states[-1]].get(origin)
            if following is None:
                return True
            states.append(following)

    def _is_unbalanced(self, start: int) -> bool:
        """Whether some bracket from here to the end of the text is never closed."""
        depth = 0
        for piece in pieces(self._text, start):
            depth += (piece.text in OPENING) - (piece.text in CLOSING)
        return depth > 0

    def _resume(self, stack: _Stack, trouble: Trouble) -> int | None:
        """Leave out the broken statement; where the next one begins, if there is one."""
        base = _base(stack)
        del stack.states[base + 1 :], stack.values[base:], stack.starts[base:], stack.opened[:]
        at = self._next_statement(trouble)
        self._astray = None
        if at is not None:
            self.comments = [comment for comment in self.comments if comment.span.start < at]
        return at

    def _next_statement(self, trouble: Trouble) -> int | None:
        if trouble.astray is not None:
            return trouble.astray
        depth = len(trouble.opened) - (trouble.piece.text in OPENING)
        closed = trouble.piece.start == trouble.statement
        for piece in pieces(self._text, trouble.piece.start):
            is_later = piece.start > trouble.statement
            if piece.text in OPENING:
                depth += 1
                if depth > self._max_depth:
                    return None
            elif piece.text in CLOSING:
                depth = max(depth - 1, 0)
                closed = depth == 0
            elif is_later and piece.group == WORD and self._begins(piece, depth, is_after_brace=closed):
                return piece.start
            else:
                closed = False
        return None

    def _begins(self, piece: Piece, depth: int, *, is_after_brace: bool) -> bool:
        """Whether a word begins a statement, as far as the layout tells."""
        line_start = self._text.rfind("\n", 0, piece.start) + 1
        if piece.start == line_start and (depth == 0 or piece.text in self._statement_words):
            return True
        if depth or piece.text not in self._statement_words:
            return False
        return is_after_brace or not self._text[line_start : piece.start].strip()


def _base(stack: _Stack) -> int:
    """How many symbols of the stack are statements read whole: one, the list of them, if there are any."""
    return int(bool(stack.values) and isinstance(stack.values[0], list))


@cache
def _steps() -> tuple[_Step, ...]:
    """The steps of all productions."""
    return tuple(map(_step, load().productions))


def _step(production: Production) -> _Step:
    method = getattr(TreeBuilder, production.callback) if production.callback else _unused
    return production.length, production.origin, method, production.kept, production.plan, production.case


def _unused(*_parts: object) -> object:
    raise AssertionError("lists and symbols that are passed on have no method")


def _collect(parts: list[object], plan: tuple[int | None, ...]) -> list[object]:
    """A list one longer, or new; nothing else holds a list that is still being read."""
    collected: list[object] = []
    for part in plan:
        assert part is not None
        if part >= 0:
            collected.append(parts[part])
        else:
            inner = parts[-1 - part]
            assert isinstance(inner, list)
            collected = inner
    return collected


def _planned(parts: list[object], plan: tuple[int | None, ...]) -> list[object]:
    given: list[object] = []
    for part in plan:
        if part is None:
            given.append(None)
        elif part >= 0:
            given.append(parts[part])
        else:
            inner = parts[-1 - part]
            assert isinstance(inner, list)
            given.extend(inner)
    return given
