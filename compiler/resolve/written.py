"""Sets and lines as text, for messages and reports: as the formatter writes them, on one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.dsl.format import format_set
from meshproof.dsl.format.claims import ClaimItems
from meshproof.dsl.format.layout import Layout
from meshproof.dsl.format.words import Words

if TYPE_CHECKING:
    from meshproof.dsl.ast.claims import Claim
    from meshproof.dsl.ast.sets import SetExpression
    from meshproof.dsl.ast.tests import Case

_ITEMS = ClaimItems(Words(Layout(None, ()).listing))


def written_set(written: SetExpression) -> str:
    """A set."""
    return format_set(written)


def written_claim(written: Claim) -> str:
    """A claim."""
    return " ".join(_ITEMS.claim(written))


def written_case(written: Case) -> str:
    """A line of a test."""
    return " ".join(_ITEMS.case(written))
