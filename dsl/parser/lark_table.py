"""Making the parse table: the only module that knows lark.

It reads what lark has computed, which lark does not promise to keep; only the making of `table.json` rests on it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lark import Lark
from lark.grammar import Terminal
from lark.lexer import Lexer
from lark.parsers.lalr_analysis import Shift

if TYPE_CHECKING:
    from lark.grammar import Rule
    from lark.parsers.lalr_analysis import ParseTableBase

LIST_PREFIX = "__"


class _NoLexer(Lexer):
    """Stands in for a lexer: `lexer.py` finds the tokens, and lark then checks the grammar alone, strictly."""

    def __init__(self, _conf: object) -> None:
        pass

    def lex(self, _lexer_state: object, _parser_state: object) -> Iterator[Any]:
        return iter(())


def encode(grammar: str, digest: str, starts: tuple[str, ...]) -> str:
    """The LALR(1) table of a grammar as JSON text, the same text for the same grammar.

    Raises lark.exceptions.GrammarError if the grammar is wrong or has a conflict.
    """
    lark = Lark(grammar, parser="lalr", lexer=_NoLexer, start=list(starts), strict=True)
    table: ParseTableBase[int] = lark.parser.parser._parse_table  # noqa: SLF001 - see the module's docstring
    terminals = [*sorted({terminal.name for terminal in lark.terminals}), "$END"]
    rules = sorted(_rules(table), key=_rule_key)
    symbols = {name: number for number, name in enumerate(terminals)}
    for rule in rules:
        symbols.setdefault(rule.origin.name, len(symbols))
    for row in table.states.values():
        for name in row:
            symbols.setdefault(name, len(symbols))
    numbers = {rule: number for number, rule in enumerate(rules)}
    order = _order(table)
    rows = [
        [
            value
            for name, (action, argument) in sorted(table.states[state].items(), key=_name)
            for value in (symbols[name], order[argument] if action is Shift else -1 - numbers[argument])
        ]
        for state in order
    ]
    written = {
        "grammar": digest,
        "terminals": terminals,
        "productions": [_production(rule, symbols) for rule in rules],
        "rows": rows,
        "starts": {name: order[state] for name, state in sorted(table.start_states.items())},
        "ends": {name: order[state] for name, state in sorted(table.end_states.items())},
    }
    return json.dumps(written, separators=(",", ":")) + "\n"


def _order(table: ParseTableBase[int]) -> dict[int, int]:
    """Numbers for the states in the order in which they are met; lark's own differ from run to run."""
    order: dict[int, int] = {}
    pending = [state for _, state in sorted(table.start_states.items())]
    for state in pending:
        if state not in order:
            order[state] = len(order)
            pending.extend(to for _, (action, to) in sorted(table.states[state].items(), key=_name) if action is Shift)
    return order


def _name(item: tuple[str, object]) -> str:
    return item[0]


def _rules(table: ParseTableBase[int]) -> set[Rule]:
    return {argument for row in table.states.values() for action, argument in row.values() if action is not Shift}


def _rule_key(rule: Rule) -> tuple[str, list[str]]:
    return rule.origin.name, [symbol.name for symbol in rule.expansion]


def _production(rule: Rule, symbols: dict[str, int]) -> list[object]:
    name = rule.alias or rule.origin.name
    plan = list(_plan(rule))
    is_list = name.startswith(LIST_PREFIX)
    is_inline = bool(rule.options.expand1) and not rule.alias and len(plan) == 1
    return [symbols[rule.origin.name], len(rule.expansion), name, plan, int(is_list), int(is_inline)]


def _plan(rule: Rule) -> Iterator[int | None]:
    """Which symbols a callback is given, after lark's own rules for trees."""
    position = 0
    for is_left_out in rule.options.empty_indices or [False] * len(rule.expansion):
        if is_left_out:
            yield None
            continue
        symbol = rule.expansion[position]
        if not (isinstance(symbol, Terminal) and symbol.filter_out):
            yield -1 - position if symbol.name.startswith(LIST_PREFIX) else position
        position += 1
