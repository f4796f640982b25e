"""Saying what is wrong with a text, and what would be right.

Each explanation looks at the trouble and answers, or leaves it to the next; the last one always answers.
"""

from __future__ import annotations

from meshproof.dsl.diagnostic import Diagnostic
from meshproof.dsl.parser.engine import Trouble
from meshproof.dsl.parser.syntax_errors import (
    brackets,
    characters,
    conditions,
    literals,
    operations,
    operators,
    statements,
    words,
)
from meshproof.dsl.parser.syntax_errors.place import Place
from meshproof.dsl.source import SourceFile

_EXPLANATIONS = (
    brackets.too_deep,
    characters.unterminated_string,
    characters.bad_character,
    brackets.never_closed,
    brackets.never_opened,
    brackets.comma_at_end,
    brackets.left_open,
    operators.mixed,
    operators.wrong_arrow,
    statements.clause_outside,
    conditions.single_equals,
    conditions.not_before_in,
    conditions.token_alone,
    conditions.two_attributes,
    conditions.set_without_braces,
    conditions.more_callers,
    conditions.many_callers,
    operations.after_clause,
    operations.quoted_path,
    operations.without_path,
    operations.lower_case,
    literals.date,
    literals.duration,
    literals.percent,
    literals.number,
    words.reserved,
    statements.unknown,
    words.misspelt,
    words.bad_name,
    words.unquoted,
    words.no_regex,
    statements.ends_early,
)


def explain(trouble: Trouble, source: SourceFile) -> Diagnostic:
    """The finding for a place where parsing stopped."""
    place = Place(trouble, source)
    for explanation in _EXPLANATIONS:
        diagnostic = explanation(place)
        if diagnostic is not None:
            return diagnostic
    return words.unexpected(place)
