"""The grammar has no conflict, and the table that is shipped was made of it."""

from __future__ import annotations

from importlib.resources import files

import pytest
from lark.exceptions import GrammarError

from meshproof.dsl.parser import table
from meshproof.dsl.parser.table import TABLE, Table, digest, grammar_text, load, make


def test_the_grammar_builds_without_a_conflict_and_the_shipped_table_is_made_of_it() -> None:
    shipped = files("meshproof.dsl").joinpath(TABLE).read_text(encoding="utf-8")

    assert shipped == make(grammar_text()), "run `python -m tools.grammar_table`"


def test_a_conflict_is_an_error_and_not_resolved() -> None:
    conflicting = grammar_text().replace("?string_value: text | value_ref", "?string_value: text | value_ref | texts")

    with pytest.raises(GrammarError, match=r"[Cc]onflict|[Cc]ollision"):
        make(conflicting)


def test_a_table_of_another_grammar_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    other = grammar_text().replace("_EGRESS.2: /egress", "_EGRESS.2: /exits").replace("egress: _EGRESS", "egress: _TO")
    monkeypatch.setattr(table, "grammar_text", lambda: other)
    load.cache_clear()
    try:
        built = load()
    finally:
        monkeypatch.undo()
        load.cache_clear()

    mesh_item = _after(built, "_MESH", "NAME", "LBRACE")
    assert "_TO" in built.expected(mesh_item)
    assert "_EGRESS" not in built.expected(mesh_item)
    assert "_EGRESS" in load().expected(_after(load(), "_MESH", "NAME", "LBRACE"))


def test_the_digest_is_of_the_whole_grammar() -> None:
    assert digest("a") != digest("b")
    assert digest(grammar_text()) == digest(grammar_text())


def _after(made: Table, *terminals: str) -> int:
    """The state after some terminals, whatever has to be reduced on the way."""
    numbers = {name: number for number, name in enumerate(made.terminals)}
    stack = [made.starts["document"]]
    for terminal in terminals:
        while (action := made.rows[stack[-1]][numbers[terminal]]) < 0:
            production = made.productions[-1 - action]
            del stack[len(stack) - production.length :]
            stack.append(made.rows[stack[-1]][production.origin])
        stack.append(action)
    return stack[-1]
