"""The parse table that lark makes of `grammar.lark`, kept beside it as plain JSON.

Making it takes lark half a second; reading it takes a few milliseconds and no lark. A table that was made from another
grammar is never used: it is made anew, so an edit of the grammar works at once. A test holds that the file is current.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

GRAMMAR = "grammar.lark"
TABLE = "parser/table.json"
STARTS = ("document", "line")
END_TERMINAL = "$END"


UNIT, ONE, PLAIN, PLANNED, INLINE, LIST = range(6)
"""The cases of a production: one symbol that is passed on, one that is given, some of the symbols that are given, parts
left out or lists among them, one of several symbols that is passed on, a list that is collected."""


@dataclass(frozen=True, slots=True)
class Production:
    """What happens when a rule of the grammar is complete.

    `callback` is the builder's method, empty if none is called. `plan` says what it is given: `i` the i-th symbol,
    `-1 - i` the items of the i-th symbol, which is a list, `None` a part that was left out; `kept` are the first.
    """

    origin: int
    length: int
    callback: str
    plan: tuple[int | None, ...]
    kept: tuple[int, ...]
    case: int


@dataclass(frozen=True, slots=True)
class Table:
    """An LALR(1) table. Symbols are numbers: terminals first, in the order of `terminals`.

    `rows[state]` maps a symbol to the state that follows it, or to `-1 - p` to reduce by production `p`.
    """

    terminals: tuple[str, ...]
    productions: tuple[Production, ...]
    rows: tuple[dict[int, int], ...]
    starts: dict[str, int]
    ends: dict[str, int]

    def expected(self, state: int) -> frozenset[str]:
        """The terminals that may come next."""
        count = len(self.terminals)
        return frozenset(self.terminals[symbol] for symbol in self.rows[state] if symbol < count)


def grammar_text() -> str:
    """The grammar as it is shipped."""
    return files("meshproof.dsl").joinpath(GRAMMAR).read_text(encoding="utf-8")


@cache
def load() -> Table:
    """The table of the shipped grammar."""
    grammar = grammar_text()
    resource = files("meshproof.dsl").joinpath(TABLE)
    if resource.is_file():
        written = json.loads(resource.read_text(encoding="utf-8"))
        if written["grammar"] == digest(grammar):
            return _decode(written)
    return _decode(json.loads(make(grammar)))


def digest(grammar: str) -> str:
    """What a table is compared with its grammar by."""
    return hashlib.sha256(grammar.encode()).hexdigest()


def make(grammar: str) -> str:
    """The table as JSON text. Raises lark.exceptions.GrammarError if the grammar has a conflict."""
    from meshproof.dsl.parser.lark_table import encode  # noqa: PLC0415 - lark is not loaded to parse

    return encode(grammar, digest(grammar), STARTS)


def _decode(written: dict[str, object]) -> Table:
    rows = written["rows"]
    productions = written["productions"]
    terminals = written["terminals"]
    starts, ends = written["starts"], written["ends"]
    assert isinstance(rows, list)
    assert isinstance(productions, list)
    assert isinstance(terminals, list)
    assert isinstance(starts, dict)
    assert isinstance(ends, dict)
    return Table(
        terminals=tuple(terminals),
        productions=tuple(
            _production(origin, length, callback, tuple(plan), is_list=bool(is_list), is_inline=bool(is_inline))
            for origin, length, callback, plan, is_list, is_inline in productions
        ),
        rows=tuple(dict(zip(row[::2], row[1::2], strict=True)) for row in rows),
        starts=starts,
        ends=ends,
    )


def _production(
    origin: int, length: int, callback: str, plan: tuple[int | None, ...], *, is_list: bool, is_inline: bool
) -> Production:
    kept = tuple(part for part in plan if part is not None and part >= 0)
    if is_list:
        case = LIST
    elif is_inline:
        case = UNIT if length == 1 else INLINE
    elif len(kept) != len(plan):
        case = PLANNED
    else:
        case = ONE if length == len(kept) == 1 else PLAIN
    return Production(origin, length, "" if is_list or is_inline else callback, plan, kept, case)
