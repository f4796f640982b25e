"""How reports say that what they tell is cooperative: it holds as long as callers' own proxies are honest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.ir.judgement import Judgement

if TYPE_CHECKING:
    from meshproof.compiler.ir.json_text import Json

REMARK = "cooperative: callers' own proxies keep this, and nobody enforces it"


def remarks(judgement: Judgement) -> tuple[str, ...]:
    """The remark, where it is due."""
    return (REMARK,) if judgement is Judgement.COOPERATIVE else ()


def members(judgement: Judgement) -> dict[str, Json]:
    """The same as members of a document: none where what is told is enforced."""
    return {"judgement": judgement.value} if judgement is Judgement.COOPERATIVE else {}
